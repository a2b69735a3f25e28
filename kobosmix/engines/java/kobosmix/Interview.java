package kobosmix;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Set;
import org.javarosa.core.model.FormDef;
import org.javarosa.core.model.FormIndex;
import org.javarosa.core.model.IFormElement;
import org.javarosa.core.model.QuestionDef;
import org.javarosa.core.model.ValidateOutcome;
import org.javarosa.core.model.data.IAnswerData;
import org.javarosa.core.model.instance.InstanceInitializationFactory;
import org.javarosa.core.model.instance.TreeReference;
import org.javarosa.core.reference.ReferenceManager;
import org.javarosa.core.services.PropertyManager;
import org.javarosa.form.api.FormEntryController;
import org.javarosa.form.api.FormEntryModel;
import org.javarosa.model.xform.XFormSerializingVisitor;
import org.javarosa.model.xform.XFormsModule;
import org.javarosa.xform.parse.XFormParser;
import org.javarosa.xform.util.XFormUtils;
import org.opendatakit.validate.StubPropertyManager;

/**
 * One interview, held as on a phone: forward through the form, question by question; as often as
 * the scenario says back to the beginning, an answer changed, and forward again; then finalised.
 *
 * <p>A scenario is {@code {form, language, answers: {name: [tried...]}, then: [{name:
 * [tried...]}...]}}. The form is a file; the files it carries lie beside it.
 */
final class Interview {
    private static final String[] VERDICTS = {"OK", "REQUIRED", "CONSTRAINT"};

    private final FormDef form;
    private final FormEntryModel model;
    private final FormEntryController phone;
    private final JsonNode answers;
    private final Set<String> answered = new HashSet<>();

    private Interview(FormDef form, JsonNode scenario) {
        this.form = form;
        this.answers = scenario.path("answers");
        this.model = new FormEntryModel(form);
        this.phone = new FormEntryController(model);
        form.initialize(true, new InstanceInitializationFactory());
        speak(scenario.path("language").asText());
        checkNames(scenario);
    }

    /** What was shown and said each time through the form, and the submission. */
    static ObjectNode hold(JsonNode scenario) {
        // Not CoreModelModule: that one wants a storage this engine does not have here.
        new XFormsModule().registerModule();
        PropertyManager.setPropertyManager(new StubPropertyManager());
        File file = new File(scenario.path("form").asText());
        Attachments attachments = new Attachments(file.getParentFile());
        ReferenceManager.instance().addReferenceFactory(attachments);
        try {
            return new Interview(opened(file), scenario).held(scenario.path("then"));
        } catch (IOException | XFormParser.ParseException thrown) {
            throw new Fault("the engine cannot read the form", thrown);
        } finally {
            ReferenceManager.instance().removeReferenceFactory(attachments);
        }
    }

    private static FormDef opened(File file) throws IOException, XFormParser.ParseException {
        try (InputStream xform = Files.newInputStream(file.toPath())) {
            return XFormUtils.getFormFromInputStream(xform);
        }
    }

    private void speak(String language) {
        if (language.isEmpty()) {
            return;
        }
        // A form without translations has no localizer at all.
        if (form.getLocalizer() == null || !form.getLocalizer().hasLocale(language)) {
            throw new Fault("the form does not have the language '" + language + "'");
        }
        phone.setLanguage(language);
    }

    private void checkNames(JsonNode scenario) {
        Set<String> known = new HashSet<>();
        collectNames(form, known);
        checkNames(answers, known);
        for (JsonNode changes : scenario.path("then")) {
            checkNames(changes, known);
        }
    }

    private static void checkNames(JsonNode answers, Set<String> known) {
        for (Iterator<String> names = answers.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!known.contains(name)) {
                throw new Fault("the form has no question '" + name + "'");
            }
        }
    }

    private static void collectNames(IFormElement element, Set<String> names) {
        if (element instanceof QuestionDef) {
            names.add(((TreeReference) element.getBind().getReference()).getNameLast());
        } else if (element.getChildren() != null) {
            for (IFormElement child : element.getChildren()) {
                collectNames(child, names);
            }
        }
    }

    private ObjectNode held(JsonNode then) throws IOException {
        ObjectNode told = Engine.JSON.createObjectNode().put("title", form.getTitle());
        ArrayNode languages = told.putArray("languages");
        if (form.getLocalizer() != null) {
            for (String language : model.getLanguages()) {
                languages.add(language);
            }
        }
        ArrayNode rounds = told.putArray("rounds");
        rounds.add(round(Engine.JSON.createObjectNode()));
        for (JsonNode changes : then) {
            rounds.add(round(changes));
        }
        finish(told);
        return told;
    }

    /** Once through the form, from its beginning to its end. */
    private ArrayNode round(JsonNode changes) {
        ArrayNode shown = Engine.JSON.createArrayNode();
        phone.jumpToIndex(FormIndex.createBeginningOfFormIndex());
        int event;
        while ((event = phone.stepToNextEvent()) != FormEntryController.EVENT_END_OF_FORM) {
            if (event == FormEntryController.EVENT_QUESTION) {
                shown.add(question(new Screen(model), changes));
            }
        }
        return shown;
    }

    private ObjectNode question(Screen screen, JsonNode changes) {
        ObjectNode shown = screen.described();
        ArrayNode tries = shown.putArray("tries");
        if (screen.isReadOnly()) {
            return shown;
        }
        JsonNode tried = tried(screen.name(), changes);
        for (JsonNode text : tried) {
            tries.add(answered(screen, text.asText(), screen.answer(text.asText())));
        }
        if (tried.size() == 0) {
            // Left as it is: an answer given earlier, and a default, must survive that.
            tries.add(answered(screen, screen.value(), screen.answer()));
        }
        answered.add(screen.name());
        return shown;
    }

    /** What is entered now; nothing where an answer from an earlier time through is kept. */
    private JsonNode tried(String name, JsonNode changes) {
        if (changes.has(name) || answered.contains(name)) {
            return changes.path(name);
        }
        return answers.path(name);
    }

    private ObjectNode answered(Screen screen, String text, IAnswerData answer) {
        int verdict = phone.answerQuestion(answer, true);
        ObjectNode tried = Engine.JSON.createObjectNode().put("text", text);
        tried.put("verdict", VERDICTS[verdict]);
        switch (verdict) {
            case FormEntryController.ANSWER_REQUIRED_BUT_EMPTY:
                return tried.put("message", screen.requiredMessage());
            case FormEntryController.ANSWER_CONSTRAINT_VIOLATED:
                return tried.put("message", screen.constraintMessage(answer));
            default:
                return tried.put("message", "");
        }
    }

    /** What happens when the last screen is left with "send". */
    private void finish(ObjectNode told) throws IOException {
        ValidateOutcome failure = form.validate();
        told.put("outcome", VERDICTS[failure == null ? 0 : failure.outcome]);
        told.put("failed", failure == null ? "" : Screen.path(failure.failedPrompt));
        phone.finalizeFormEntry();
        byte[] xml = new XFormSerializingVisitor().serializeInstance(form.getMainInstance());
        told.put("submission", new String(xml, StandardCharsets.UTF_8));
    }
}
