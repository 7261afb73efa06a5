// Collections: where they lie, who made them personal, how they are moved, thrown away and brought back.
#pragma once
#include <map>

#include "features/content/objects.h"

namespace basalt::features {

struct Collection {
  CollectionId id;
  std::string name, slug, location = "/", created_at, entity_id;
  std::optional<std::string> description, archive_operation_id, authority_level, kind, name_space;
  std::optional<PersonId> personal_owner;
  bool archived = false;
  std::optional<bool> archived_directly;

  std::string place_of_children() const { return location + std::to_string(id.value) + "/"; }
  std::optional<CollectionId> parent() const;             // absent: the root
};

// "/3/7/" -> {3, 7}
std::vector<CollectionId> ids_in_location(std::string_view location);

std::optional<Collection> find_collection(appdb::Connection& connection, CollectionId id);
// All collections in one snapshot, with the questions that need more than one of them.
class Collections {
 public:
  // Everything, or only `subtree` (a location with its own id, "/3/7/") and what lies above it.
  explicit Collections(appdb::Connection& connection);

  const std::vector<Collection>& all() const { return all_; }   // by lower-case name
  const Collection* find(CollectionId id) const;
  bool is_personal(const Collection& collection) const;          // it or a collection above it belongs to a person
  std::optional<PersonId> owner(const Collection& collection) const;
  std::vector<const Collection*> ancestors(const Collection& collection) const;    // root first, itself left out
  std::vector<const Collection*> descendants(const Collection& collection) const;
  // Nearest collection above that the person may see; absent: the root.
  const Collection* visible_parent(const Collection& collection, const permissions::Rights& rights) const;
  // Ids of the collections in which the person may see what is there (archived ones too).
  std::vector<std::int64_t> visible_ids(const permissions::Rights& rights) const;

 private:
  std::vector<Collection> all_;
  std::map<std::int64_t, std::size_t> by_id_;
};

// The full object of GET /api/collection/:id.
json::object collection_json(const Collection& collection, const Collections& among, const permissions::Rights& rights);
// A row of GET /api/collection and a node of the tree: without ancestors.
json::object collection_row_json(const Collection& collection, const Collections& among, const permissions::Rights& rights);
json::object root_collection_json(const permissions::Rights& rights);
json::object trash_json();
// What cards and dashboards say of theirs: {id, name, slug, …}, the root's short form, or the trash when `in_trash`.
enum class InTrash { No, Yes };
json::object collection_summary(const Collection* collection_or_root, bool is_personal, const permissions::Rights& rights, InTrash in_trash);
// The same with one look-up; `id` absent: the root.
json::object collection_summary(appdb::Connection& connection, std::optional<CollectionId> id, const permissions::Rights& rights, InTrash in_trash);

struct NewCollection {
  std::string name;
  std::optional<std::string> description, name_space, authority_level;
  Patch<json::value> parent_id;
  static constexpr auto fields() {
    return json_fields(field("name", &NewCollection::name, object_name), field("description", &NewCollection::description, description_text),
                       field("parent_id", &NewCollection::parent_id), field("namespace", &NewCollection::name_space),
                       field("authority_level", &NewCollection::authority_level));
  }
};
struct CollectionChange {
  Patch<std::string> name, description, authority_level;
  std::optional<bool> archived;
  Patch<json::value> parent_id;
  static constexpr auto fields() {
    return json_fields(field("name", &CollectionChange::name, object_name), field("description", &CollectionChange::description, description_text),
                       field("authority_level", &CollectionChange::authority_level), field("archived", &CollectionChange::archived),
                       field("parent_id", &CollectionChange::parent_id));
  }
};

// Each of these writes; the caller calls Permissions::forget afterwards. They ask for the rights they need.
CollectionId create_collection(appdb::Connection& connection, const permissions::Rights& rights, const NewCollection& wanted, Timestamp now);
void change_collection(appdb::Connection& connection, const permissions::Rights& rights, CollectionId id, const CollectionChange& change, Timestamp now);
void delete_collection(appdb::Connection& connection, const permissions::Rights& rights, CollectionId id);

// The person's own collection, made when it is not there yet (write transaction).
CollectionId ensure_personal_collection(appdb::Connection& connection, PersonId person, Timestamp now);
std::optional<CollectionId> personal_collection(appdb::Connection& connection, PersonId person);

}  // namespace basalt::features
