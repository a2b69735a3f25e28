package kobosmix;

/** An order that cannot be carried out as it stands; the message is a sentence for people. */
final class Fault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Fault(String sentence) {
        super(sentence);
    }

    Fault(String sentence, Throwable cause) {
        super(sentence + " (" + cause + ")", cause);
    }
}
