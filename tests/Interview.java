import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.*;
import java.util.*;
import org.javarosa.core.model.*;
import org.javarosa.core.model.data.*;
import org.javarosa.core.model.instance.InstanceInitializationFactory;
import org.javarosa.core.reference.*;
import org.javarosa.form.api.*;
import org.javarosa.model.xform.XFormSerializingVisitor;
import org.javarosa.xform.util.XFormUtils;

/**
 * Interviews as a phone does them, on the form engine that is in the jar of ODK Validate.
 *
 * Reads a list of {form, answers: {name: [tried, ...]}}; the files a form carries lie beside it.
 * Writes for each what was shown, which tries were refused and why, and the submission.
 */
public class Interview {
    static final ObjectMapper JSON = new ObjectMapper();
    static final String[] VERDICTS = {"OK", "REQUIRED", "CONSTRAINT"};

    public static void main(String[] args) throws Exception {
        new org.javarosa.model.xform.XFormsModule().registerModule();
        ArrayNode told = JSON.createArrayNode();
        for (JsonNode interview : JSON.readTree(new File(args[0]))) {
            File form = new File(interview.get("form").asText());
            ReferenceManager.instance().addReferenceFactory(filesIn(form.getParentFile()));
            told.add(interview(form, interview.get("answers")));
        }
        new PrintStream(System.out, true, "UTF-8").println(JSON.writeValueAsString(told));
    }

    static ObjectNode interview(File file, JsonNode answers) throws Exception {
        FormDef form = XFormUtils.getFormFromInputStream(new FileInputStream(file));
        FormEntryModel model = new FormEntryModel(form);
        FormEntryController controller = new FormEntryController(model);
        form.initialize(true, new InstanceInitializationFactory());
        ObjectNode told = JSON.createObjectNode();
        ArrayNode shown = told.putArray("shown"), tries = told.putArray("tries");
        int event;
        while ((event = controller.stepToNextEvent()) != FormEntryController.EVENT_END_OF_FORM) {
            if (event != FormEntryController.EVENT_QUESTION) continue;
            FormEntryPrompt prompt = model.getQuestionPrompt();
            String name = prompt.getIndex().getReference().getNameLast();
            shown.add(name);
            if (prompt.isReadOnly()) continue;
            JsonNode tried = answers.has(name) ? answers.get(name) : JSON.createArrayNode().add("");
            for (JsonNode text : tried) {
                int verdict = controller.answerQuestion(answer(prompt, text.asText()), true);
                tries.addArray().add(name).add(text.asText()).add(VERDICTS[verdict]);
            }
        }
        controller.finalizeFormEntry();
        byte[] xml = new XFormSerializingVisitor().serializeInstance(form.getMainInstance());
        return told.put("xml", new String(xml, "UTF-8"));
    }

    static IAnswerData answer(FormEntryPrompt prompt, String text) {
        if (text.isEmpty()) return null;
        if (prompt.getControlType() == Constants.CONTROL_SELECT_ONE) {
            for (SelectChoice choice : prompt.getSelectChoices())
                if (choice.getValue().equals(text)) return new SelectOneData(choice.selection());
            throw new IllegalArgumentException("no such choice: " + text);
        }
        return AnswerDataFactory.templateByDataType(prompt.getDataType()).cast(new UncastData(text));
    }

    /** Where jr://file-csv/register.csv lies. */
    static ReferenceFactory filesIn(File folder) {
        return new PrefixedRootFactory(new String[] {"file-csv/", "file/"}) {
            protected Reference factory(String terminal, String uri) {
                File file = new File(folder, terminal);
                return new Reference() {
                    public boolean doesBinaryExist() { return file.exists(); }
                    public InputStream getStream() throws IOException { return new FileInputStream(file); }
                    public String getURI() { return uri; }
                    public String getLocalURI() { return file.getPath(); }
                    public boolean isReadOnly() { return true; }
                    public OutputStream getOutputStream() { return null; }
                    public void remove() {}
                    public Reference[] probeAlternativeReferences() { return new Reference[0]; }
                };
            }
        };
    }
}
