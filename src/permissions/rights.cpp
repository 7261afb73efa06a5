#include "permissions/rights.h"

#include <condition_variable>

#include "base/failure.h"
#include "permissions/defaults.h"
#include "permissions/grants.h"

namespace basalt::permissions {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto known_for = std::chrono::seconds(5);  // how long another node's change may go unnoticed

// Everything that is granted, to everybody; read as a whole, shared by all requests, never changed.
struct Snapshot {
  struct Place {
    std::optional<PersonId> personal_owner;  // of the collection itself or the one above all
  };
  std::unordered_map<GroupId, std::unordered_map<DatabaseId, DataGrants>> data;
  std::unordered_map<GroupId, std::unordered_map<CollectionId, CollectionRight>> collections;
  std::unordered_map<GroupId, CollectionRight> root;
  std::unordered_map<CollectionId, Place> places;
};

CollectionRight collection_right(std::string_view value) { return value == "curate" ? CollectionRight::Curate : CollectionRight::View; }

// The topmost collection of "/3/7/": 3.
std::optional<CollectionId> topmost(std::string_view location) {
  if (location.size() < 3) return std::nullopt;
  std::int64_t id = 0;
  for (char c : location.substr(1, location.find('/', 1) - 1)) id = id * 10 + (c - '0');
  return CollectionId(id);
}

std::shared_ptr<const Snapshot> read_snapshot(appdb::Store& store) {
  auto snapshot = std::make_shared<Snapshot>();
  store.read([&](appdb::Connection& connection) {
    connection.each("SELECT group_id, database_id, schema_name, table_id, kind, value FROM data_permission", {}, [&](const appdb::Row& row) {
      snapshot->data[row.id<GroupId>("group_id")][row.id<DatabaseId>("database_id")].add(row);
    });
    connection.each("SELECT group_id, collection_id, value FROM collection_permission", {}, [&](const appdb::Row& row) {
      auto right = collection_right(row.text("value"));
      if (auto collection = row.optional_id<CollectionId>("collection_id")) snapshot->collections[row.id<GroupId>("group_id")][*collection] = right;
      else snapshot->root[row.id<GroupId>("group_id")] = right;
    });
    std::unordered_map<CollectionId, PersonId> owners;
    std::vector<std::pair<CollectionId, std::optional<CollectionId>>> tops;
    connection.each("SELECT id, location, personal_owner_id FROM collection", {}, [&](const appdb::Row& row) {
      auto id = row.id<CollectionId>("id");
      if (auto owner = row.optional_id<PersonId>("personal_owner_id")) owners[id] = *owner;
      tops.emplace_back(id, topmost(row.text("location")));
    });
    for (auto& [id, top] : tops) {
      auto owner = owners.find(top.value_or(id));
      snapshot->places[id].personal_owner = owner == owners.end() ? std::nullopt : std::optional(owner->second);
    }
  });
  return snapshot;
}

class CallerRights final : public Rights {
 public:
  CallerRights(appdb::Store& store, std::shared_ptr<const Snapshot> snapshot, const http::Caller& caller)
      : store_(store), snapshot_(std::move(snapshot)), person_(caller.person), administrator_(caller.is_administrator), groups_(caller.groups) {}

  PersonId person() const override { return person_; }
  bool is_administrator() const override { return administrator_; }

  CollectionRight collection(std::optional<CollectionId> id) const override {
    if (!id) {
      if (administrator_) return CollectionRight::Curate;
      return most_of_groups(CollectionRight::None, [&](GroupId group) { return look_up(snapshot_->root, group, CollectionRight::None); });
    }
    auto place = snapshot_->places.find(*id);
    if (place == snapshot_->places.end()) return made_meanwhile(*id);
    if (administrator_) return CollectionRight::Curate;
    if (auto owner = place->second.personal_owner) return *owner == person_ ? CollectionRight::Curate : CollectionRight::None;
    return most_of_groups(CollectionRight::None, [&](GroupId group) {
      auto grants = snapshot_->collections.find(group);
      return grants == snapshot_->collections.end() ? CollectionRight::None : look_up(grants->second, *id, CollectionRight::None);
    });
  }

  DataRight table(DatabaseId database, const std::optional<std::string>& schema, TableId table) const override {
    return data(database, [&](const DataGrants& grants) { return grants.table(schema.value_or(""), table); });
  }
  DataRight whole_database(DatabaseId database) const override {
    return data(database, [](const DataGrants& grants) { return grants.least(); });
  }
  bool any_table(DatabaseId database) const override {
    return data(database, [](const DataGrants& grants) { return grants.most(); }) != DataRight::None;
  }

 private:
  template <class Map, class Key, class Value>
  static Value look_up(const Map& map, const Key& key, Value otherwise) {
    auto found = map.find(key);
    return found == map.end() ? otherwise : found->second;
  }
  template <class Right, class Answer>
  Right most_of_groups(Right least, Answer&& answer) const {
    for (auto group : groups_) least = std::max(least, answer(group));
    return least;
  }
  template <class Answer>
  DataRight data(DatabaseId database, Answer&& answer) const {
    if (administrator_) return DataRight::BuilderAndSql;
    return most_of_groups(DataRight::None, [&](GroupId group) {
      auto grants = snapshot_->data.find(group);
      if (grants == snapshot_->data.end()) return DataRight::None;
      auto found = grants->second.find(database);
      return found == grants->second.end() ? DataRight::None : answer(found->second);
    });
  }

  // A collection younger than the snapshot (made by another node, or a moment ago) is read by itself.
  CollectionRight made_meanwhile(CollectionId id) const {
    return store_.read([&](appdb::Connection& connection) {
      auto row = connection.query_one("SELECT location, personal_owner_id FROM collection WHERE id = ?", {id});
      if (!row) return CollectionRight::None;
      if (administrator_) return CollectionRight::Curate;
      auto owner = row->optional_id<PersonId>("personal_owner_id");
      if (auto top = topmost(row->text("location")); top && !owner) {
        auto above = connection.query_one("SELECT personal_owner_id FROM collection WHERE id = ?", {*top});
        if (above) owner = above->optional_id<PersonId>("personal_owner_id");
      }
      if (owner) return *owner == person_ ? CollectionRight::Curate : CollectionRight::None;
      auto right = CollectionRight::None;
      for (auto& grant : connection.query("SELECT group_id, value FROM collection_permission WHERE collection_id = ?", {id})) {
        if (std::binary_search(groups_.begin(), groups_.end(), grant.id<GroupId>("group_id"))) right = std::max(right, collection_right(grant.text("value")));
      }
      return right;
    });
  }

  appdb::Store& store_;
  const std::shared_ptr<const Snapshot> snapshot_;
  const PersonId person_;
  const bool administrator_;
  const std::vector<GroupId> groups_;
};

class ServerRights final : public Rights {
 public:
  PersonId person() const override { return PersonId(0); }
  bool is_administrator() const override { return true; }
  CollectionRight collection(std::optional<CollectionId>) const override { return CollectionRight::Curate; }
  DataRight table(DatabaseId, const std::optional<std::string>&, TableId) const override { return DataRight::BuilderAndSql; }
  DataRight whole_database(DatabaseId) const override { return DataRight::BuilderAndSql; }
  bool any_table(DatabaseId) const override { return true; }
};

}  // namespace

void Rights::require_view(std::optional<CollectionId> id) const {
  if (collection(id) == CollectionRight::None) throw not_found();
}

void Rights::require_curate(std::optional<CollectionId> id) const {
  auto right = collection(id);
  if (right == CollectionRight::None) throw not_found();
  if (right != CollectionRight::Curate) throw forbidden();
}

void Rights::require_administrator() const {
  if (!is_administrator()) throw forbidden();
}

void Rights::require_native(DatabaseId database) const {
  if (whole_database(database) != DataRight::BuilderAndSql) throw forbidden();
}

void Rights::require_table(DatabaseId database, const std::optional<std::string>& schema, TableId id) const {
  if (table(database, schema, id) == DataRight::None) throw forbidden();
}

const Rights& server_rights() {
  static const ServerRights rights;
  return rights;
}

struct Permissions::State {
  appdb::Store& store;
  std::mutex mutex;
  std::condition_variable loaded;
  std::shared_ptr<const Snapshot> snapshot;     // GUARDED_BY(mutex)
  SteadyClock::time_point read_at;              // GUARDED_BY(mutex)
  std::uint64_t generation = 0;                 // GUARDED_BY(mutex)
  bool loading = false;                         // GUARDED_BY(mutex)

  explicit State(appdb::Store& from) : store(from) {}

  // One thread reads; the others go on with what is known, or wait when it was forgotten.
  std::shared_ptr<const Snapshot> current() {
    std::unique_lock lock(mutex);
    for (;;) {
      if (snapshot && (loading || SteadyClock::now() - read_at < known_for)) return snapshot;
      if (!loading) break;
      loaded.wait(lock);
    }
    for (;;) {
      loading = true;
      auto as_of = generation;
      lock.unlock();
      std::shared_ptr<const Snapshot> read;
      try {
        read = read_snapshot(store);
      } catch (...) {
        lock.lock();
        loading = false;
        loaded.notify_all();
        throw;
      }
      lock.lock();
      if (as_of != generation) continue;  // changed while we read
      loading = false;
      snapshot = read;
      read_at = SteadyClock::now();
      loaded.notify_all();
      return read;
    }
  }
};

Permissions::Permissions(appdb::Store& store) : state_(std::make_unique<State>(store)) {}
Permissions::~Permissions() = default;

std::shared_ptr<const Rights> Permissions::of(const http::Caller& caller) {
  return std::make_shared<CallerRights>(state_->store, state_->current(), caller);
}

void Permissions::forget() {
  std::lock_guard lock(state_->mutex);
  ++state_->generation;
  state_->snapshot = nullptr;
}

}  // namespace basalt::permissions
