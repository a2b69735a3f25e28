package kobosmix;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.FormDef;
import org.javarosa.core.model.FormIndex;
import org.javarosa.core.model.SelectChoice;
import org.javarosa.core.model.condition.EvaluationContext;
import org.javarosa.core.model.data.AnswerDataFactory;
import org.javarosa.core.model.data.IAnswerData;
import org.javarosa.core.model.data.MultipleItemsData;
import org.javarosa.core.model.data.SelectOneData;
import org.javarosa.core.model.data.UncastData;
import org.javarosa.core.model.data.helper.Selection;
import org.javarosa.core.model.instance.TreeElement;
import org.javarosa.core.model.instance.TreeReference;
import org.javarosa.form.api.FormEntryCaption;
import org.javarosa.form.api.FormEntryModel;
import org.javarosa.form.api.FormEntryPrompt;
import org.javarosa.xpath.XPathParseTool;
import org.javarosa.xpath.expr.XPathFuncExpr;
import org.javarosa.xpath.parser.XPathSyntaxException;

/** The question a phone shows just now, in the language that is chosen. */
final class Screen {
    private final FormEntryModel model;
    private final FormEntryPrompt prompt;

    Screen(FormEntryModel model) {
        this.model = model;
        this.prompt = model.getQuestionPrompt();
    }

    String name() {
        return prompt.getIndex().getReference().getNameLast();
    }

    boolean isReadOnly() {
        return prompt.isReadOnly();
    }

    /** The path of a question in a submission, without the root, which each form calls its own. */
    static String path(FormIndex index) {
        TreeReference reference = index.getReference();
        List<String> names = new ArrayList<>();
        for (int level = 1; level < reference.size(); level++) {
            names.add(reference.getName(level));
        }
        return String.join("/", names);
    }

    /** Everything that is to be seen, before anything is answered. */
    ObjectNode described() {
        ObjectNode shown = Engine.JSON.createObjectNode();
        shown.put("name", name()).put("path", path(prompt.getIndex()));
        shown.put("label", text(prompt.getLongText())).put("hint", text(prompt.getHelpText()));
        shown.put("required", prompt.isRequired()).put("read_only", prompt.isReadOnly());
        shown.put("appearance", text(prompt.getAppearanceHint()));
        ArrayNode headings = shown.putArray("headings");
        for (FormEntryCaption caption : model.getCaptionHierarchy()) {
            if (!(caption instanceof FormEntryPrompt)) {
                headings.add(text(caption.getLongText()));
            }
        }
        ArrayNode choices = shown.putArray("choices");
        if (isSelectOne() || isSelectMultiple()) {
            for (SelectChoice choice : prompt.getSelectChoices()) {
                choices.addObject()
                        .put("value", choice.getValue())
                        .put("label", text(prompt.getSelectChoiceText(choice)));
            }
        }
        return shown;
    }

    /** The answer as it stands; null where there is none. */
    IAnswerData answer() {
        return prompt.getAnswerValue();
    }

    /** The answer as it stands, as a submission has it. */
    String value() {
        return answer() == null ? "" : answer().uncast().getString();
    }

    /** The text as an answer to this question; null for the empty text. */
    IAnswerData answer(String text) {
        if (text.isEmpty()) {
            return null;
        }
        if (isSelectOne()) {
            return new SelectOneData(selection(text));
        }
        if (isSelectMultiple()) {
            List<Selection> chosen = new ArrayList<>();
            for (String value : text.split(" ")) {
                chosen.add(selection(value));
            }
            return new MultipleItemsData(chosen);
        }
        try {
            int type = prompt.getDataType();
            return AnswerDataFactory.templateByDataType(type).cast(new UncastData(text));
        } catch (IllegalArgumentException thrown) {
            throw new Fault("'" + text + "' cannot be entered for '" + name() + "'", thrown);
        }
    }

    private Selection selection(String value) {
        for (SelectChoice choice : prompt.getSelectChoices()) {
            if (choice.getValue().equals(value)) {
                return choice.selection();
            }
        }
        throw new Fault("'" + name() + "' does not offer '" + value + "'");
    }

    String constraintMessage(IAnswerData refused) {
        return text(prompt.getConstraintText(refused));
    }

    /** JavaRosa itself does not look at this message; the app of the phones does, like this. */
    String requiredMessage() {
        String written = null;
        for (TreeElement attribute : prompt.getBindAttributes()) {
            if (attribute.getName().equals("requiredMsg")) {
                written = attribute.getAttributeValue();
            }
        }
        if (written == null) {
            return "";
        }
        try {
            FormDef form = model.getForm();
            TreeReference here = prompt.getIndex().getReference();
            Object message =
                    XPathParseTool.parseXPath("string(" + written + ")")
                            .eval(
                                    form.getMainInstance(),
                                    new EvaluationContext(form.getEvaluationContext(), here));
            return XPathFuncExpr.toString(message);
        } catch (XPathSyntaxException plainSentence) {
            return written;
        }
    }

    private boolean isSelectOne() {
        return prompt.getControlType() == Constants.CONTROL_SELECT_ONE;
    }

    private boolean isSelectMultiple() {
        return prompt.getControlType() == Constants.CONTROL_SELECT_MULTI;
    }

    private static String text(String sentence) {
        return sentence == null ? "" : sentence;
    }
}
