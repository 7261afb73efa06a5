// What is granted before anybody edits the graphs.
#pragma once
#include "appdb/connection.h"
#include "base/ids.h"

namespace basalt::permissions {

inline constexpr GroupId all_users{1}, administrators{2};

// Everybody may query a new database, with the builder and with SQL. Call in the transaction that inserts it.
void grant_new_database(appdb::Connection& connection, DatabaseId database);
// A new collection takes over the grants of the one it is made in (std::nullopt: the root collection).
void grant_new_collection(appdb::Connection& connection, CollectionId collection, std::optional<CollectionId> parent);
// All Users curate the root collection. Call once, in the transaction that creates the first person.
void grant_new_store(appdb::Connection& connection);

}  // namespace basalt::permissions
