"""The tests: one file a module, and folders for journeys, browsers, faults and the page's own modules."""
