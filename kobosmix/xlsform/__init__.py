"""Any XLSForm, ours or not: read it and say what the servers and engines would not."""
