// The two graphs that administrators edit: which group may query which data, and which may see or curate which collection.
// Each change is checked against the revision it was made from, and leaves a row in permission_revision.
#pragma once
#include "appdb/store.h"
#include "base/json.h"
#include "permissions/rights.h"

namespace basalt::permissions {

struct GraphChange {
  json::value graph;            // {"revision":3,"groups":{"1":{…}}}; only what changes needs to be there
  PersonId by;
  bool force = false;           // also when the revision is not the current one
  bool skip_graph = false;      // answer with {"revision":n} only
};

class Graphs {
 public:
  Graphs(appdb::Store& store, Permissions& permissions, const Clock& clock) : store_(store), permissions_(permissions), clock_(clock) {}

  // {"revision":n,"groups":{group:{database:{"view-data":…,"create-queries":…}}}}; of one group or database when given.
  json::object data(std::optional<GroupId> group = {}, std::optional<DatabaseId> database = {});
  // Throws Failure Conflict when the revision is not the current one, BadRequest for a shape or word it does not know.
  // Entries of the Administrators are passed over: they may do everything.
  json::object change_data(const GraphChange& change);

  // {"revision":n,"groups":{group:{"root":"write","5":"read"}}}, without personal collections.
  json::object collections(const std::optional<std::string>& name_space);
  json::object change_collections(const GraphChange& change, const std::optional<std::string>& name_space);

 private:
  appdb::Store& store_;
  Permissions& permissions_;
  const Clock& clock_;
};

}  // namespace basalt::permissions
