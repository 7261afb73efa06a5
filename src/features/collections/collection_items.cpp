#include "features/collections/collection_items.h"

#include <algorithm>

#include "features/content/query_facts.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Parameters;
using appdb::Row;
using permissions::CollectionRight;
using permissions::Rights;

const std::vector<std::string>& known_models() {
  static const std::vector<std::string> models{"card", "dataset", "metric", "dashboard", "collection", "snippet", "timeline", "pulse", "document", "table", "no_models"};
  return models;
}

// The statement grows part by part; every part gives the same columns.
struct Union {
  std::string sql;
  Parameters parameters;
  void part(const std::string& select, const Parameters& values) {
    if (!sql.empty()) sql += "\nUNION ALL\n";
    sql += select;
    parameters.insert(parameters.end(), values.begin(), values.end());
  }
};

// Which rows of a table with collection_id are meant.
struct Condition {
  std::string sql;
  Parameters parameters;
};

Condition content_condition(const ItemsRequest& wanted, const std::string& alias, const std::optional<std::vector<std::int64_t>>& visible) {
  Condition c;
  if (wanted.place == ItemsRequest::Place::Trash) {
    c.sql = alias + ".archived = TRUE AND " + alias + ".archived_directly = TRUE";
    if (visible) {
      // The root's own things are among them only for those who may see the root: the caller put 0 in for it.
      std::vector<std::int64_t> ids;
      bool root = false;
      for (auto id : *visible) { if (id == 0) root = true; else ids.push_back(id); }
      std::string in = ids.empty() ? "FALSE" : alias + ".collection_id IN (" + appdb::placeholders(ids.size()) + ")";
      c.sql += root ? " AND (" + alias + ".collection_id IS NULL OR " + in + ")" : " AND " + in;
      append(c.parameters, ids);
    }
  } else {
    if (wanted.collection) { c.sql = alias + ".collection_id = ?"; c.parameters.emplace_back(*wanted.collection); }
    else c.sql = alias + ".collection_id IS NULL";
    c.sql += " AND " + alias + ".archived = ?";
    c.parameters.emplace_back(wanted.archived);
    if (wanted.archived) c.sql += " AND " + alias + ".archived_directly = FALSE";
  }
  if (wanted.pinned) c.sql += " AND " + alias + ".collection_position IS " + (*wanted.pinned ? "NOT NULL" : "NULL");
  return c;
}

// Collections directly below in the eyes of this person: what lies under one they cannot see moves up.
std::vector<std::int64_t> child_collections(const Collections& all, const Rights& rights, const ItemsRequest& wanted) {
  std::vector<std::int64_t> ids;
  for (auto& c : all.all()) {
    if (rights.collection(c.id) == CollectionRight::None || c.name_space != wanted.name_space) continue;
    if (wanted.place == ItemsRequest::Place::Trash) {
      if (c.archived && c.archived_directly.value_or(false)) ids.push_back(c.id.value);
      continue;
    }
    if (c.archived != wanted.archived || (c.archived && c.archived_directly.value_or(false))) continue;
    if (c.personal_owner && *c.personal_owner != rights.person()) continue;  // other people's are reached through their people
    auto* parent = all.visible_parent(c, rights);
    if ((parent ? std::optional(parent->id) : std::nullopt) == wanted.collection) ids.push_back(c.id.value);
  }
  return ids;
}

std::string order_by(const ItemsRequest& wanted) {
  std::string direction = wanted.sort_direction == "desc" ? " DESC" : " ASC";
  std::string collections_first = "CASE WHEN model = 'collection' THEN 0 ELSE 1 END";
  if (wanted.sort_column == "model") return "model" + direction + ", lower(name), id";
  if (wanted.sort_column == "last_edited_at") return collections_first + ", CASE WHEN edited_at IS NULL THEN 1 ELSE 0 END, edited_at" + direction + ", lower(name), id";
  if (wanted.sort_column == "last_edited_by")
    return collections_first + ", CASE WHEN editor_email IS NULL THEN 1 ELSE 0 END, lower(coalesce(editor_first_name, editor_email))" + direction +
           ", lower(coalesce(editor_last_name, ''))" + direction + ", lower(name), id";
  return collections_first + ", lower(name)" + direction + ", id";
}

bool fully_parameterized(const Row& row) {
  auto query = row.json("native_query");
  auto* tags = template_tags(query);
  if (!tags) return true;
  for (auto& [name, tag] : *tags) {
    auto kind = json::text(tag, "type").value_or("text");
    if (kind != "snippet" && kind != "card" && kind != "dimension" && !json::find(tag, "default")) return false;
  }
  return true;
}

json::array texts(const std::set<std::string>& words) {
  json::array out;
  for (auto& word : words) out.push_back(json::value(word));
  return out;
}

}  // namespace

ItemsRequest ItemsRequest::from(const http::Request& request) {
  ItemsRequest wanted;
  wanted.models = request.query_values("models");
  for (auto& model : wanted.models) {
    if (std::find(known_models().begin(), known_models().end(), model) == known_models().end())
      throw bad_field("models", "value must be one of card, dataset, metric, dashboard, collection, snippet, timeline, pulse, document, table, no_models.");
  }
  wanted.archived = request.query_flag("archived");
  wanted.dashboard_questions = request.query_flag("show_dashboard_questions");
  auto pinned = request.query_value("pinned_state").value_or("all");
  if (pinned == "is_pinned") wanted.pinned = true;
  else if (pinned == "is_not_pinned") wanted.pinned = false;
  else if (pinned != "all") throw bad_field("pinned_state", "value must be all, is_pinned or is_not_pinned.");
  wanted.sort_column = request.query_value("sort_column").value_or("name");
  static const std::set<std::string> sortable{"name", "last_edited_at", "last_edited_by", "model"};
  if (!sortable.contains(wanted.sort_column)) throw bad_field("sort_column", "value must be name, last_edited_at, last_edited_by or model.");
  wanted.sort_direction = request.query_value("sort_direction").value_or("asc");
  if (wanted.sort_direction != "asc" && wanted.sort_direction != "desc") throw bad_field("sort_direction", "value must be asc or desc.");
  wanted.name_space = request.query_value("namespace");
  wanted.limit = request.query_integer("limit");
  wanted.offset = request.query_integer("offset");
  if (wanted.limit && *wanted.limit < 0) throw bad_field("limit", "value must be an integer of zero or more.");
  if (wanted.offset && *wanted.offset < 0) throw bad_field("offset", "value must be an integer of zero or more.");
  return wanted;
}

std::map<std::int64_t, std::set<std::string>> kinds_by_collection(Connection& connection) {
  std::map<std::int64_t, std::set<std::string>> kinds;
  connection.each("SELECT DISTINCT coalesce(collection_id, 0) AS place, kind FROM card WHERE archived = FALSE AND dashboard_id IS NULL "
                  "UNION ALL SELECT DISTINCT coalesce(collection_id, 0) AS place, 'dashboard' AS kind FROM dashboard WHERE archived = FALSE", {},
                  [&](const Row& row) {
                    auto kind = row.text("kind");
                    kinds[row.integer("place")].insert(kind == "question" ? "card" : kind == "model" ? "dataset" : kind);
                  });
  return kinds;
}

json::object collection_items(Connection& connection, const Rights& rights, const ItemsRequest& wanted) {
  auto asked = [&](std::string_view model) {
    return wanted.models.empty() || std::find(wanted.models.begin(), wanted.models.end(), model) != wanted.models.end();
  };
  bool snippets = wanted.name_space == "snippets";
  Collections all(connection);
  std::optional<std::vector<std::int64_t>> visible;
  if (wanted.place == ItemsRequest::Place::Trash && !rights.is_administrator()) {
    visible = all.visible_ids(rights);
    if (rights.collection(std::nullopt) != CollectionRight::None) visible->push_back(0);
  }

  Union parts;
  static constexpr auto person = "p.id AS editor_person_id, p.email AS editor_email, p.first_name AS editor_first_name, p.last_name AS editor_last_name";
  if (!snippets && (asked("card") || asked("dataset") || asked("metric"))) {
    auto condition = content_condition(wanted, "c", visible);
    if (!wanted.dashboard_questions) condition.sql += " AND c.dashboard_id IS NULL";
    std::string kinds;
    for (auto [model, kind] : {std::pair{"card", "question"}, {"dataset", "model"}, {"metric", "metric"}}) {
      if (asked(model)) kinds += (kinds.empty() ? "'" : ", '") + std::string(kind) + "'";
    }
    parts.part(std::string("SELECT c.id, CASE c.kind WHEN 'model' THEN 'dataset' WHEN 'metric' THEN 'metric' ELSE 'card' END AS model, c.name, c.description, c.entity_id, "
               "c.collection_id, c.collection_position, c.collection_preview, c.display, c.database_id, c.dashboard_id, c.archived, c.archived_directly, c.last_used_at, "
               "CASE WHEN c.query_type = 'native' THEN c.dataset_query END AS native_query, NULL AS location, NULL AS authority_level, NULL AS kind, "
               "CAST(NULL AS BIGINT) AS personal_owner_id, c.last_edited_at AS edited_at, ") + person +
               " FROM card c LEFT JOIN person p ON p.id = c.last_editor_id WHERE " + condition.sql + " AND c.kind IN (" + kinds + ")", condition.parameters);
  }
  if (!snippets && asked("dashboard")) {
    auto condition = content_condition(wanted, "d", visible);
    parts.part(std::string("SELECT d.id, 'dashboard' AS model, d.name, d.description, d.entity_id, d.collection_id, d.collection_position, CAST(NULL AS BOOLEAN) AS collection_preview, "
               "NULL AS display, CAST(NULL AS BIGINT) AS database_id, CAST(NULL AS BIGINT) AS dashboard_id, d.archived, d.archived_directly, d.last_viewed_at AS last_used_at, "
               "NULL AS native_query, '/' AS location, NULL AS authority_level, NULL AS kind, CAST(NULL AS BIGINT) AS personal_owner_id, d.last_edited_at AS edited_at, ") + person +
               " FROM dashboard d LEFT JOIN person p ON p.id = d.last_editor_id WHERE " + condition.sql, condition.parameters);
  }
  if (asked("collection") && wanted.pinned != true) {
    auto ids = child_collections(all, rights, wanted);
    if (!ids.empty())
      parts.part(std::string("SELECT k.id, 'collection' AS model, k.name, k.description, k.entity_id, CAST(NULL AS BIGINT) AS collection_id, CAST(NULL AS BIGINT) AS collection_position, "
                 "CAST(NULL AS BOOLEAN) AS collection_preview, NULL AS display, CAST(NULL AS BIGINT) AS database_id, CAST(NULL AS BIGINT) AS dashboard_id, k.archived, "
                 "k.archived_directly, ") + (connection.engine() == appdb::Engine::Postgres ? "CAST(NULL AS TIMESTAMPTZ)" : "NULL") + " AS last_used_at, NULL AS native_query, "
                 "k.location, k.authority_level, k.kind, k.personal_owner_id, " + (connection.engine() == appdb::Engine::Postgres ? "CAST(NULL AS TIMESTAMPTZ)" : "NULL") +
                 " AS edited_at, CAST(NULL AS BIGINT) AS editor_person_id, NULL AS editor_email, NULL AS editor_first_name, NULL AS editor_last_name "
                 "FROM collection k WHERE k.id IN (" + appdb::placeholders(ids.size()) + ")", id_parameters(ids));
  }
  if (snippets && asked("snippet") && wanted.place == ItemsRequest::Place::Collection && wanted.pinned != true) {
    Parameters parameters{wanted.archived};
    std::string where = "s.archived = ? AND ";
    if (wanted.collection) { where += "s.collection_id = ?"; parameters.emplace_back(*wanted.collection); }
    else where += "s.collection_id IS NULL";
    parts.part(std::string("SELECT s.id, 'snippet' AS model, s.name, s.description, s.entity_id, s.collection_id, CAST(NULL AS BIGINT) AS collection_position, CAST(NULL AS BOOLEAN) AS collection_preview, "
               "NULL AS display, CAST(NULL AS BIGINT) AS database_id, CAST(NULL AS BIGINT) AS dashboard_id, s.archived, CAST(NULL AS BOOLEAN) AS archived_directly, ") +
               (connection.engine() == appdb::Engine::Postgres ? "CAST(NULL AS TIMESTAMPTZ)" : "NULL") + " AS last_used_at, NULL AS native_query, NULL AS location, NULL AS authority_level, "
               "NULL AS kind, CAST(NULL AS BIGINT) AS personal_owner_id, s.updated_at AS edited_at, " + person +
               " FROM snippet s LEFT JOIN person p ON p.id = s.creator_id WHERE " + where, parameters);
  }

  json::object out{{"data", json::array()}, {"total", 0}, {"limit", json::or_null(wanted.limit)}, {"offset", json::or_null(wanted.offset)}, {"models", json::array()}};
  if (parts.sql.empty()) return out;

  static const std::vector<std::string> models{"card", "dataset", "metric", "dashboard", "collection", "snippet"};
  std::string totals = "count(*) OVER () AS total";
  for (auto& model : models) totals += ", max(CASE WHEN model = '" + model + "' THEN 1 ELSE 0 END) OVER () AS has_" + model;
  auto limit = std::min(wanted.limit.value_or(list_cap), list_cap), offset = wanted.offset.value_or(0);
  // Counting dashboards happens outside of the page, for its rows alone.
  std::string sql = "SELECT page.*, CASE WHEN page.model IN ('card', 'dataset', 'metric') THEN (SELECT count(DISTINCT dc.dashboard_id) FROM dashcard dc WHERE dc.card_id = page.id) END AS dashboard_count "
                    "FROM (SELECT items.*, row_number() OVER (ORDER BY " + order_by(wanted) + ") AS place, " + totals + " FROM (" + parts.sql + ") items) page "
                    "WHERE page.place > ? AND page.place <= ? ORDER BY page.place";
  parts.parameters.emplace_back(offset);
  parts.parameters.emplace_back(offset + limit);

  std::optional<std::map<std::int64_t, std::set<std::string>>> kinds;
  auto rows = connection.query(sql, parts.parameters);
  auto& data = out["data"].get_array();
  for (auto& row : rows) {
    auto& model = row.text("model");
    bool is_collection = model == "collection", is_card = model == "card" || model == "dataset" || model == "metric";
    auto place = is_collection ? std::optional(CollectionId(row.integer("id"))) : row.optional_id<CollectionId>("collection_id");
    bool curates = rights.collection(place) == CollectionRight::Curate, archived = row.boolean("archived");
    json::object item{{"id", row.integer("id")}, {"model", model}, {"name", row.text("name")}, {"description", text_or_null(row, "description")},
                      {"archived", archived}, {"entity_id", text_or_null(row, "entity_id")}, {"collection_position", integer_or_null(row, "collection_position")},
                      {"location", text_or_null(row, "location")}, {"database_id", integer_or_null(row, "database_id")},
                      {"dashboard_id", integer_or_null(row, "dashboard_id")}, {"moderated_status", nullptr}, {"is_remote_synced", false}, {"can_write", curates},
                      {"can_restore", curates && archived && row.optional_boolean("archived_directly").value_or(false)}, {"can_delete", curates && archived},
                      {"last_used_at", text_or_null(row, "last_used_at")}, {"last-edit-info", edit_json(row, "editor", "edited_at")}};
    if (is_card) {
      item["collection_id"] = integer_or_null(row, "collection_id");
      item["collection_preview"] = json::or_null(row.optional_boolean("collection_preview"));
      item["display"] = text_or_null(row, "display");
      item["dashboard"] = nullptr;
      item["dashboard_count"] = integer_or_null(row, "dashboard_count");
      item["fully_parameterized"] = fully_parameterized(row);
      item["type"] = model == "dataset" ? "model" : model == "metric" ? "metric" : "question";
    } else if (is_collection) {
      if (!kinds) kinds = kinds_by_collection(connection);
      auto* collection = all.find(*place);
      auto* parent = collection ? all.visible_parent(*collection, rights) : nullptr;
      std::set<std::string> below;
      for (auto* c : all.descendants(*collection)) {
        if (c->archived || rights.collection(c->id) == CollectionRight::None) continue;
        below.insert("collection");
        below.merge(std::set<std::string>((*kinds)[c->id.value]));
      }
      item["collection_id"] = parent ? json::value(parent->id.value) : json::value(nullptr);
      item["authority_level"] = text_or_null(row, "authority_level");
      item["type"] = text_or_null(row, "kind");
      item["personal_owner_id"] = integer_or_null(row, "personal_owner_id");
      item["is_personal"] = all.is_personal(*collection);
      item["effective_location"] = parent ? parent->place_of_children() : std::string("/");
      item["here"] = texts((*kinds)[place->value]);
      item["below"] = texts(below);
    } else {
      item["collection_id"] = integer_or_null(row, "collection_id");
    }
    data.push_back(std::move(item));
  }
  if (!rows.empty()) {
    out["total"] = rows[0].integer("total");
    for (auto& model : models) {
      if (rows[0].integer("has_" + model)) out["models"].get_array().push_back(json::value(model));
    }
  } else if (offset > 0 || limit == 0) {
    parts.parameters.erase(parts.parameters.end() - 2, parts.parameters.end());
    out["total"] = connection.count("SELECT count(*) FROM (" + parts.sql + ") items", parts.parameters);
  }
  return out;
}

}  // namespace basalt::features
