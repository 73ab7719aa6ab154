//! Working days, office hours and due dates, with the explanation of each.
