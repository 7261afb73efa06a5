// The one place that answers "may this person do this?" for data, collections and administration.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "appdb/store.h"
#include "base/ids.h"
#include "http/caller.h"

namespace basalt::permissions {

enum class CollectionRight { None, View, Curate };
enum class DataRight { None, Builder, BuilderAndSql };

// A snapshot of what one person may do; made per request by Permissions::of, cheap to ask, never stored.
class Rights {
 public:
  virtual ~Rights() = default;
  virtual PersonId person() const = 0;
  virtual bool is_administrator() const = 0;

  // Collections: std::nullopt is the root collection. Personal collections: their owner (and administrators) curate, and
  // everything below them; nobody else sees them. An unknown collection: None.
  virtual CollectionRight collection(std::optional<CollectionId> id) const = 0;
  // Data: the right for one table. Most permissive of the person's groups wins.
  virtual DataRight table(DatabaseId database, const std::optional<std::string>& schema, TableId table) const = 0;
  // The right that holds for every table of the database (native SQL needs BuilderAndSql here).
  virtual DataRight whole_database(DatabaseId database) const = 0;
  // May the person query at least one table?
  virtual bool any_table(DatabaseId database) const = 0;

  // The same as demands. A person who may not even view gets NotFound, one who may view but not curate gets Forbidden.
  void require_view(std::optional<CollectionId> id) const;
  void require_curate(std::optional<CollectionId> id) const;
  void require_administrator() const;                       // Forbidden
  void require_native(DatabaseId database) const;           // Forbidden
  void require_table(DatabaseId database, const std::optional<std::string>& schema, TableId table) const;  // Forbidden
};

// Rights of the server itself (sync, schedules): everything.
const Rights& server_rights();

class Permissions {
 public:
  explicit Permissions(appdb::Store& store);
  ~Permissions();
  // Reads what is needed in at most two statements, cached until the graphs change (other nodes: within 5 s).
  std::shared_ptr<const Rights> of(const http::Caller& caller);
  void forget();  // after any change to groups, memberships, graphs, collections' places

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace basalt::permissions
