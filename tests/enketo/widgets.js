// Enketo's own widgets, as KoboToolbox uses them; those for maps, drawings and files are left out.

import columns from 'enketo-core/src/widget/columns/columns';
import dateMobile from 'enketo-core/src/widget/date-mobile/datepicker-mobile';
import date from 'enketo-core/src/widget/date/datepicker-extended';
import note from 'enketo-core/src/widget/note/notewidget';
import integer from 'enketo-core/src/widget/number-input/integer-input';
import radio from 'enketo-core/src/widget/radio/radiopicker';
import autocomplete from 'enketo-core/src/widget/select-autocomplete/autocomplete';
import select from 'enketo-core/src/widget/select-desktop/selectpicker';
import likert from 'enketo-core/src/widget/select-likert/likertitem';
import selectMobile from 'enketo-core/src/widget/select-mobile/selectpicker';
import table from 'enketo-core/src/widget/table/tablewidget';
import textMax from 'enketo-core/src/widget/text-max/text-max';
import textarea from 'enketo-core/src/widget/textarea/textarea';

export default [
  note, select, selectMobile, autocomplete, textarea, table, radio, date, dateMobile, likert,
  columns, textMax, integer,
];
