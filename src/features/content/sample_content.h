// What a new server has to show: a collection with eight questions and one dashboard on the sample database.
#pragma once
#include "features/services.h"

namespace basalt::features {

// Makes the collection "Sample" with the dashboard "Sales overview", once per application database. Does nothing when it was
// made before (even if it was thrown away since) or when the database lacks the tables and columns it needs (logged). Reads the
// last day of the orders from the sample database: call it on a thread that may wait, after the sync.
void add_sample_content(Services& services, DatabaseId database);

}  // namespace basalt::features
