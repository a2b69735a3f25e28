package kobosmix;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import org.opendatakit.validate.ErrorListener;
import org.opendatakit.validate.FormValidator;

/** What ODK Validate says of one form: the code its own main runs, but for the end of the JVM. */
final class Validation implements ErrorListener {
    private final ArrayNode said = Engine.JSON.createArrayNode();

    private Validation() {}

    /** {@code {valid, said: [...]}}; a form can be valid although something was said of it. */
    static ObjectNode of(String xform) {
        Validation heard = new Validation();
        boolean isValid = heard.accepts(xform);
        ObjectNode verdict = Engine.JSON.createObjectNode().put("valid", isValid);
        verdict.set("said", heard.said);
        return verdict;
    }

    private boolean accepts(String xform) {
        FormValidator validator = new FormValidator().setErrorListener(this);
        try {
            validator.validate(xform.getBytes(StandardCharsets.UTF_8));
        } catch (Exception | StackOverflowError thrown) {
            // Alone with this form, ODK Validate would end with exit code 1 here.
            error("Exception:", thrown);
            return false;
        }
        return !isInError(validator);
    }

    /** The claim on which ODK Validate decides its exit code; not every error() sets it. */
    private static boolean isInError(FormValidator validator) {
        try {
            Field claim = FormValidator.class.getDeclaredField("inError");
            claim.setAccessible(true);
            return claim.getBoolean(validator);
        } catch (ReflectiveOperationException changed) {
            throw new Fault("this ODK Validate is not the one kobosmix knows", changed);
        }
    }

    @Override
    public void error(Object sentence) {
        said.add(String.valueOf(sentence));
    }

    @Override
    public void error(Object sentence, Throwable thrown) {
        error(sentence);
        error(thrown);
        for (Throwable each = thrown.getCause(); each != null; each = each.getCause()) {
            // Most of what is thrown repeats what it was thrown for.
            if (!thrown.toString().contains(String.valueOf(each.getMessage()))) {
                error(each);
            }
        }
    }

    @Override
    public void info(Object sentence) {
        // How far it has come, which the verdict says as well.
    }
}
