package kobosmix;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintStream;

/**
 * The form engine of the phones (JavaRosa, in the jar of ODK Validate), asked in JSON.
 *
 * <p>{@code validate} reads a list of XForms and tells what ODK Validate says of each; {@code
 * interview} reads a list of scenarios and tells how each interview went. The order comes on
 * standard input. The answer goes to standard output: {@code {"told": [...]}}, one for each thing
 * asked. At the first that cannot be carried out it ends with {@code "fault": "..."}.
 */
public final class Engine {
    static final ObjectMapper JSON = new ObjectMapper();

    private Engine() {}

    public static void main(String[] arguments) throws IOException {
        PrintStream output = System.out;
        // The engine and its libraries print as they please; nothing but the answer may stand
        // on standard output.
        System.setOut(System.err);
        ObjectNode answer = JSON.createObjectNode();
        ArrayNode told = answer.putArray("told");
        try {
            for (JsonNode order : JSON.readTree(System.in)) {
                told.add(told(arguments[0], order));
            }
        } catch (Fault fault) {
            answer.put("fault", fault.getMessage());
        }
        output.write(JSON.writeValueAsBytes(answer));
        output.flush();
    }

    private static ObjectNode told(String job, JsonNode order) {
        switch (job) {
            case "validate":
                return Validation.of(order.asText());
            case "interview":
                return interviewed(order);
            default:
                throw new Fault("no such job: " + job);
        }
    }

    private static ObjectNode interviewed(JsonNode scenario) {
        try {
            return Interview.hold(scenario);
        } catch (Fault fault) {
            throw fault;
        } catch (RuntimeException thrown) {
            throw new Fault("the engine broke off", thrown);
        }
    }
}
