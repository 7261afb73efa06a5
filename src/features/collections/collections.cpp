#include "features/collections/collections.h"

#include <algorithm>
#include <charconv>

#include "base/random.h"
#include "permissions/defaults.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;
using permissions::CollectionRight;
using permissions::Rights;

constexpr std::string_view columns =
    "id, name, slug, description, location, personal_owner_id, archived, archived_directly, archive_operation_id, "
    "authority_level, kind, namespace, created_at, entity_id";

Collection read(const Row& row) {
  Collection c;
  c.id = row.id<CollectionId>("id");
  c.name = row.text("name");
  c.slug = row.text("slug");
  c.description = row.optional_text("description");
  c.location = row.text("location");
  c.personal_owner = row.optional_id<PersonId>("personal_owner_id");
  c.archived = row.boolean("archived");
  c.archived_directly = row.optional_boolean("archived_directly");
  c.archive_operation_id = row.optional_text("archive_operation_id");
  c.authority_level = row.optional_text("authority_level");
  c.kind = row.optional_text("kind");
  c.name_space = row.optional_text("namespace");
  c.created_at = row.text("created_at");
  c.entity_id = row.optional_text("entity_id").value_or("");
  return c;
}

// The rows of one subtree in the order of their depth: `top` first.
std::vector<Collection> subtree(Connection& connection, const Collection& top) {
  std::vector<Collection> out{top};
  connection.each(std::string("SELECT ") + std::string(columns) + " FROM collection WHERE location LIKE ? ORDER BY length(location), id",
                  {top.place_of_children() + "%"}, [&](const Row& row) { out.push_back(read(row)); });
  return out;
}

std::vector<std::int64_t> ids_of(const std::vector<Collection>& collections) {
  std::vector<std::int64_t> ids;
  for (auto& c : collections) ids.push_back(c.id.value);
  return ids;
}

void check_authority_level(const std::optional<std::string>& level) {
  if (level && *level != "official") throw bad_field("authority_level", "value must be \"official\" or null.");
}

bool belongs_to_person(Connection& connection, const Collection& collection) {
  if (collection.personal_owner) return true;
  auto above = ids_in_location(collection.location);
  return !above.empty() && connection.count("SELECT count(*) FROM collection WHERE id = ? AND personal_owner_id IS NOT NULL", {above.front()}) > 0;
}

bool below_personal(Connection& connection, const std::optional<CollectionId>& place) {
  auto collection = place ? find_collection(connection, *place) : std::nullopt;
  return collection && belongs_to_person(connection, *collection);
}

std::string owner_name(Connection& connection, PersonId person) {
  auto row = connection.query_one("SELECT first_name, last_name, email FROM person WHERE id = ?", {person});
  if (!row) throw not_found();
  return common_name(row->optional_text("first_name"), row->optional_text("last_name"), row->text("email"));
}

// The place for a new or moved collection: must be there, not thrown away, and the person's to change.
std::string place_in(Connection& connection, const Rights& rights, const std::optional<CollectionId>& parent) {
  rights.require_curate(parent);
  if (!parent) return "/";
  auto collection = find_collection(connection, *parent);
  if (!collection) throw not_found();
  if (collection->archived) throw bad_field("parent_id", "This collection is in the trash; choose one that is not.");
  return collection->place_of_children();
}

void require_whole_subtree(const Rights& rights, const std::vector<Collection>& collections) {
  for (auto& c : collections) {
    if (rights.collection(c.id) != CollectionRight::Curate) throw forbidden();
  }
}

void set_archived_content(Connection& connection, const std::vector<std::int64_t>& ids, bool archived, Timestamp now) {
  if (ids.empty()) return;
  auto list = appdb::placeholders(ids.size());
  for (auto table : {"card", "dashboard"}) {
    appdb::Parameters parameters{archived, now};
    append(parameters, ids);
    parameters.emplace_back(!archived);
    // What was thrown away by itself stays in the trash when its collection comes back.
    connection.execute(std::string("UPDATE ") + table + " SET archived = ?, updated_at = ? WHERE collection_id IN (" + list +
                           ") AND archived = ? AND archived_directly = FALSE", parameters);
  }
}

void archive(Connection& connection, const Collection& top, Timestamp now) {
  auto operation = uuid4();
  std::vector<std::int64_t> ids;
  for (auto& c : subtree(connection, top)) {
    if (c.archived) continue;  // thrown away earlier, comes back by its own operation
    ids.push_back(c.id.value);
    connection.update("collection", {{"archived", true}, {"archived_directly", c.id == top.id}, {"archive_operation_id", operation}, {"updated_at", now}}, "id", c.id);
  }
  set_archived_content(connection, ids, true, now);
}

void restore(Connection& connection, const Collection& top, Timestamp now) {
  std::vector<std::int64_t> ids;
  for (auto& c : subtree(connection, top)) {
    if (!c.archived || c.archive_operation_id != top.archive_operation_id) continue;
    ids.push_back(c.id.value);
    connection.update("collection", {{"archived", false}, {"archived_directly", nullptr}, {"archive_operation_id", nullptr}, {"updated_at", now}}, "id", c.id);
  }
  set_archived_content(connection, ids, false, now);
}

void move(Connection& connection, const Rights& rights, Collection& collection, const std::optional<CollectionId>& parent, Timestamp now) {
  if (parent == collection.parent()) return;
  auto above = ids_in_location(collection.place_of_children());
  auto all = subtree(connection, collection);
  for (auto& c : all) {
    if (parent && c.id == *parent) throw bad_field("parent_id", "A collection cannot be moved into itself or into one of its own collections.");
  }
  require_whole_subtree(rights, all);
  auto place = place_in(connection, rights, parent);
  bool was_personal = below_personal(connection, collection.parent()), gets_personal = below_personal(connection, parent);
  auto before = collection.location;
  for (auto& c : all)
    connection.update("collection", {{"location", place + c.location.substr(before.size())}, {"updated_at", now}}, "id", c.id);
  collection.location = place;
  if (was_personal == gets_personal) return;
  // Grants have no meaning below a personal collection, and things from there start with those of their new place.
  for (auto& c : all) {
    connection.execute("DELETE FROM collection_permission WHERE collection_id = ?", {c.id});
    if (was_personal) permissions::grant_new_collection(connection, c.id, parent);
  }
}

}  // namespace

std::vector<CollectionId> ids_in_location(std::string_view location) {
  std::vector<CollectionId> ids;
  while (!location.empty()) {
    location.remove_prefix(1);  // the slash
    std::int64_t id = 0;
    auto end = location.find('/');
    auto part = location.substr(0, end);
    auto [rest, error] = std::from_chars(part.data(), part.data() + part.size(), id);
    if (error == std::errc() && rest == part.data() + part.size()) ids.emplace_back(id);
    if (end == std::string_view::npos) break;
    location.remove_prefix(end);
  }
  return ids;
}

std::optional<CollectionId> Collection::parent() const {
  auto above = ids_in_location(location);
  return above.empty() ? std::nullopt : std::optional(above.back());
}

std::optional<Collection> find_collection(Connection& connection, CollectionId id) {
  auto row = connection.query_one("SELECT " + std::string(columns) + " FROM collection WHERE id = ?", {id});
  return row ? std::optional(read(*row)) : std::nullopt;
}

Collections::Collections(Connection& connection) {
  connection.each("SELECT " + std::string(columns) + " FROM collection ORDER BY lower(name), id", {}, [&](const Row& row) { all_.push_back(read(row)); });
  for (std::size_t i = 0; i < all_.size(); ++i) by_id_[all_[i].id.value] = i;
}

const Collection* Collections::find(CollectionId id) const {
  auto found = by_id_.find(id.value);
  return found == by_id_.end() ? nullptr : &all_[found->second];
}

std::optional<PersonId> Collections::owner(const Collection& collection) const {
  if (collection.personal_owner) return collection.personal_owner;
  auto above = ids_in_location(collection.location);
  auto* top = above.empty() ? nullptr : find(above.front());
  return top ? top->personal_owner : std::nullopt;
}
bool Collections::is_personal(const Collection& collection) const { return owner(collection).has_value(); }

std::vector<const Collection*> Collections::ancestors(const Collection& collection) const {
  std::vector<const Collection*> out;
  for (auto id : ids_in_location(collection.location)) {
    if (auto* above = find(id)) out.push_back(above);
  }
  return out;
}

std::vector<const Collection*> Collections::descendants(const Collection& collection) const {
  std::vector<const Collection*> out;
  auto place = collection.place_of_children();
  for (auto& c : all_) {
    if (c.location.starts_with(place)) out.push_back(&c);
  }
  return out;
}

const Collection* Collections::visible_parent(const Collection& collection, const Rights& rights) const {
  auto above = ancestors(collection);
  for (auto it = above.rbegin(); it != above.rend(); ++it) {
    if (rights.collection((*it)->id) != CollectionRight::None) return *it;
  }
  return nullptr;
}

std::vector<std::int64_t> Collections::visible_ids(const Rights& rights) const {
  std::vector<std::int64_t> ids;
  for (auto& c : all_) {
    if (rights.collection(c.id) != CollectionRight::None) ids.push_back(c.id.value);
  }
  return ids;
}

json::object collection_row_json(const Collection& c, const Collections& among, const Rights& rights) {
  bool curates = rights.collection(c.id) == CollectionRight::Curate;
  return {{"id", c.id.value}, {"name", c.name}, {"slug", c.slug}, {"description", json::or_null(c.description)}, {"archived", c.archived},
          {"archived_directly", json::or_null(c.archived_directly)}, {"archive_operation_id", json::or_null(c.archive_operation_id)},
          {"location", c.location}, {"personal_owner_id", json::or_null(c.personal_owner)}, {"is_personal", among.is_personal(c)},
          {"is_sample", false}, {"authority_level", json::or_null(c.authority_level)}, {"type", json::or_null(c.kind)},
          {"namespace", json::or_null(c.name_space)}, {"entity_id", c.entity_id.empty() ? json::value(nullptr) : json::value(c.entity_id)},
          {"can_write", curates}, {"can_delete", curates && c.archived && !c.personal_owner}, {"is_remote_synced", false}, {"created_at", c.created_at}};
}

json::object collection_json(const Collection& c, const Collections& among, const Rights& rights) {
  auto out = collection_row_json(c, among, rights);
  json::array above;
  std::string place = "/";
  std::optional<CollectionId> parent;
  for (auto* ancestor : among.ancestors(c)) {
    if (rights.collection(ancestor->id) == CollectionRight::None) continue;
    above.push_back(json::object{{"id", ancestor->id.value}, {"name", ancestor->name}, {"authority_level", json::or_null(ancestor->authority_level)},
                                 {"type", json::or_null(ancestor->kind)}, {"personal_owner_id", json::or_null(ancestor->personal_owner)},
                                 {"can_write", rights.collection(ancestor->id) == CollectionRight::Curate}});
    place += std::to_string(ancestor->id.value) + "/";
    parent = ancestor->id;
  }
  auto* direct = c.parent() ? among.find(*c.parent()) : nullptr;
  bool curates = rights.collection(c.id) == CollectionRight::Curate;
  out["effective_ancestors"] = std::move(above);
  out["effective_location"] = place;
  out["parent_id"] = json::or_null(parent);
  out["can_restore"] = curates && c.archived && c.archived_directly.value_or(false) && !(direct && direct->archived);
  return out;
}

json::object root_collection_json(const Rights& rights) {
  return {{"id", "root"}, {"name", "Our analytics"}, {"authority_level", nullptr}, {"can_write", rights.collection(std::nullopt) == CollectionRight::Curate},
          {"can_restore", false}, {"can_delete", false}, {"is_personal", false}, {"is_remote_synced", false}, {"effective_ancestors", json::array()},
          {"effective_location", nullptr}, {"parent_id", nullptr}};
}

json::object trash_json() {
  return {{"id", "trash"}, {"name", "Trash"}, {"type", "trash"}, {"slug", "trash"}, {"description", nullptr}, {"archived", false},
          {"authority_level", nullptr}, {"can_write", false}, {"can_restore", false}, {"can_delete", false}, {"is_personal", false},
          {"is_remote_synced", false}, {"namespace", nullptr}, {"personal_owner_id", nullptr}, {"location", "/"},
          {"effective_ancestors", json::array()}, {"effective_location", "/"}, {"parent_id", nullptr}};
}

json::object collection_summary(const Collection* c, bool is_personal, const Rights& rights, InTrash in_trash) {
  if (in_trash == InTrash::Yes)
    return {{"id", "trash"}, {"name", "Trash"}, {"type", "trash"}, {"slug", "trash"}, {"location", "/"}, {"authority_level", nullptr}, {"can_write", false}, {"is_personal", false}};
  if (!c)
    return {{"id", "root"}, {"name", "Our analytics"}, {"authority_level", nullptr}, {"can_write", rights.collection(std::nullopt) == CollectionRight::Curate}, {"is_personal", false}};
  return {{"id", c->id.value}, {"name", c->name}, {"slug", c->slug}, {"description", json::or_null(c->description)}, {"location", c->location},
          {"authority_level", json::or_null(c->authority_level)}, {"type", json::or_null(c->kind)}, {"namespace", json::or_null(c->name_space)},
          {"personal_owner_id", json::or_null(c->personal_owner)}, {"archived", c->archived}, {"entity_id", c->entity_id},
          {"is_personal", is_personal}, {"is_sample", false}, {"is_remote_synced", false}, {"created_at", c->created_at},
          {"can_write", rights.collection(c->id) == CollectionRight::Curate}};
}

json::object collection_summary(Connection& connection, std::optional<CollectionId> id, const Rights& rights, InTrash in_trash) {
  auto collection = id && in_trash == InTrash::No ? find_collection(connection, *id) : std::nullopt;
  bool is_personal = collection && belongs_to_person(connection, *collection);
  return collection_summary(collection ? &*collection : nullptr, is_personal, rights, in_trash);
}

CollectionId create_collection(Connection& connection, const Rights& rights, const NewCollection& wanted, Timestamp now) {
  check_authority_level(wanted.authority_level);
  if (wanted.authority_level) rights.require_administrator();
  if (wanted.name_space && *wanted.name_space != "snippets") throw bad_field("namespace", "value must be \"snippets\" or null.");
  std::optional<CollectionId> parent;
  try {
    parent = collection_from(connection, wanted.parent_id.value.value_or(nullptr));
  } catch (const Failure& failure) {
    if (failure.kind() != FailureKind::BadRequest) throw;
    throw bad_field("parent_id", "value must be an integer greater than zero, or null.");
  }
  auto place = place_in(connection, rights, parent);
  if (ids_in_location(place).size() > 100) throw bad_field("parent_id", "Collections can be nested at most 100 deep.");
  auto id = CollectionId(connection.insert("collection", {{"name", wanted.name}, {"description", wanted.description}, {"slug", slug_of(wanted.name)},
      {"location", place}, {"archived", false}, {"authority_level", wanted.authority_level}, {"namespace", wanted.name_space},
      {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
  if (!below_personal(connection, parent)) permissions::grant_new_collection(connection, id, parent);
  return id;
}

void change_collection(Connection& connection, const Rights& rights, CollectionId id, const CollectionChange& change, Timestamp now) {
  auto collection = find_collection(connection, id);
  if (!collection) throw not_found();
  rights.require_curate(id);
  std::vector<appdb::Assignment> values;
  std::string slug;
  if (change.name) {
    if (!change.name.value) throw bad_field("name", "value must be a non-blank string.");
    slug = slug_of(*change.name.value);
    values.emplace_back("name", *change.name.value);
    values.emplace_back("slug", slug);
  }
  if (change.description) values.emplace_back("description", change.description.value);
  if (change.authority_level && change.authority_level.value != collection->authority_level) {
    check_authority_level(change.authority_level.value);
    rights.require_administrator();
    values.emplace_back("authority_level", change.authority_level.value);
  }
  if (!values.empty()) {
    values.emplace_back("updated_at", now);
    connection.update("collection", values, "id", id);
  }
  bool archives = change.archived && *change.archived && !collection->archived;
  bool restores = change.archived && !*change.archived && collection->archived;
  auto parent = change.parent_id ? collection_from(connection, change.parent_id.value.value_or(nullptr)) : collection->parent();
  bool moves = change.parent_id && parent != collection->parent();
  if (collection->personal_owner && (archives || moves)) refuse("A personal collection cannot be moved or put in the trash.");
  if (archives) {
    require_whole_subtree(rights, subtree(connection, *collection));
    archive(connection, *collection, now);
    return;
  }
  if (moves) move(connection, rights, *collection, parent, now);
  if (restores) {
    if (!collection->archived_directly.value_or(false) && !moves) refuse("This collection went to the trash with the one it lies in; restore that one, or choose a new place.");
    auto above = collection->parent() ? find_collection(connection, *collection->parent()) : std::nullopt;
    if (above && above->archived) refuse("The collection it lay in is in the trash; choose another place with parent_id.");
    require_whole_subtree(rights, subtree(connection, *collection));
    restore(connection, *collection, now);
  }
}

void delete_collection(Connection& connection, const Rights& rights, CollectionId id) {
  auto collection = find_collection(connection, id);
  if (!collection) throw not_found();
  rights.require_curate(id);
  if (!collection->archived) refuse("Only a collection in the trash can be deleted; archive it first.");
  auto all = subtree(connection, *collection);
  require_whole_subtree(rights, all);
  auto ids = ids_of(all);
  auto list = appdb::placeholders(ids.size());
  for (auto model : {"card", "dashboard"})
    connection.execute(std::string("DELETE FROM revision WHERE model = ? AND model_id IN (SELECT id FROM ") + model + " WHERE collection_id IN (" + list + "))",
                       [&] { appdb::Parameters p{model}; append(p, ids); return p; }());
  connection.execute("DELETE FROM card WHERE dashboard_id IN (SELECT id FROM dashboard WHERE collection_id IN (" + list + "))", id_parameters(ids));
  for (auto table : {"dashboard", "card", "snippet", "collection_permission"})
    connection.execute(std::string("DELETE FROM ") + table + " WHERE collection_id IN (" + list + ")", id_parameters(ids));
  connection.execute("DELETE FROM collection WHERE id IN (" + list + ")", id_parameters(ids));
}

std::optional<CollectionId> personal_collection(Connection& connection, PersonId person) {
  auto row = connection.query_one("SELECT id FROM collection WHERE personal_owner_id = ?", {person});
  return row ? std::optional(row->id<CollectionId>("id")) : std::nullopt;
}

CollectionId ensure_personal_collection(Connection& connection, PersonId person, Timestamp now) {
  if (auto id = personal_collection(connection, person)) return *id;
  auto name = owner_name(connection, person) + "'s Personal Collection";
  return CollectionId(connection.insert("collection", {{"name", name}, {"slug", slug_of(name)}, {"location", "/"}, {"personal_owner_id", person},
      {"archived", false}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
}

}  // namespace basalt::features
