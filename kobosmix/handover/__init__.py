"""What the team is handed once the forms are on the server: settings, forms, links."""

from kobosmix.handover.write import write_handover as write_handover
