#include "features/segments/segments_api.h"

#include "base/random.h"
#include "features/revisions/revisions.h"
#include "query/parse.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;
using http::Request;
using permissions::Rights;

struct NewDefinition {
  std::string name;
  TableId table_id;
  json::value definition;
  std::optional<std::string> description;
  static constexpr auto fields() {
    return json_fields(field("name", &NewDefinition::name, object_name), field("table_id", &NewDefinition::table_id, positive), field("definition", &NewDefinition::definition),
                       field("description", &NewDefinition::description));
  }
};
struct DefinitionChange {
  std::string revision_message;
  std::optional<std::string> name;
  std::optional<json::value> definition;
  Patch<std::string> description, caveats, points_of_interest;
  std::optional<bool> archived, show_in_getting_started;
  static constexpr auto fields() {
    return json_fields(field("revision_message", &DefinitionChange::revision_message, not_blank), field("name", &DefinitionChange::name, object_name), field("definition", &DefinitionChange::definition),
                       field("description", &DefinitionChange::description), field("caveats", &DefinitionChange::caveats), field("points_of_interest", &DefinitionChange::points_of_interest),
                       field("archived", &DefinitionChange::archived), field("show_in_getting_started", &DefinitionChange::show_in_getting_started));
  }
};

// Segments and measures differ in what their definition has to hold.
struct Kind {
  const char* table;  // and the word in paths
  bool filters;
};
constexpr Kind segment{"segment", true}, measure{"measure", false};

// A bare inner query, a whole one of either language: what is in it has to be one stage over the table, with a filter or one
// aggregation.
void check_definition(Services& services, const Kind& kind, TableId table, DatabaseId database, const json::value& definition) {
  auto wrong = [&](const std::string& sentence) { throw bad_field("definition", sentence); };
  auto* object = definition.if_object();
  if (!object) wrong("value must be a map: a query with `source-table` and " + std::string(kind.filters ? "`filter`." : "`aggregation`."));
  json::object whole;
  if (object->contains("stages") || object->contains("query")) whole = *object;
  else {
    auto inner = *object;
    if (!inner.contains("source-table") && !inner.contains("source_table")) inner["source-table"] = table.value;
    whole = {{"type", "query"}, {"query", inner}};
  }
  whole["database"] = database.value;
  try {
    auto query = query::parse_query(whole);
    auto& stage = query.stages.back();
    auto* source = std::get_if<query::TableSource>(&stage.source);
    if (query.stages.size() != 1 || !source || source->table != table) wrong("The definition is about its own table, " + std::to_string(table.value) + ".");
    if (!stage.joins.empty()) wrong("A definition has no joins; follow foreign keys instead.");
    if (kind.filters && !stage.filter) wrong("A segment needs a filter.");
    if (!kind.filters && stage.aggregations.size() != 1) wrong("A measure needs one aggregation.");
  } catch (const Failure& failure) {
    if (!failure.fields().empty()) throw;
    wrong(failure.sentence());
  }
  (void)services;
}

std::string select(const Kind& kind) {
  return "SELECT s.id, s.name, s.description, s.archived, s.table_id, s.definition, s.creator_id, s.entity_id, s.show_in_getting_started, s.caveats, s.points_of_interest, s.created_at, s.updated_at, " +
         person_columns("creator") + ", t.database_id, t.schema_name FROM " + appdb::quoted(kind.table) + " s JOIN data_table t ON t.id = s.table_id LEFT JOIN person creator ON creator.id = s.creator_id";
}

json::object definition_json(const Row& row) {
  return {{"id", row.integer("id")}, {"name", row.text("name")}, {"description", text_or_null(row, "description")}, {"archived", row.boolean("archived")}, {"table_id", row.integer("table_id")},
          {"definition", row.json("definition")}, {"definition_description", nullptr}, {"creator_id", integer_or_null(row, "creator_id")}, {"creator", person_json(row, "creator")},
          {"entity_id", row.text("entity_id")}, {"show_in_getting_started", row.boolean("show_in_getting_started")}, {"caveats", text_or_null(row, "caveats")},
          {"points_of_interest", text_or_null(row, "points_of_interest")}, {"created_at", row.text("created_at")}, {"updated_at", row.text("updated_at")}};
}

bool may_see(const Row& row, const Rights& rights) {
  return rights.table(row.id<DatabaseId>("database_id"), row.optional_text("schema_name"), row.id<TableId>("table_id")) != permissions::DataRight::None;
}

Row require_definition(Connection& connection, const Rights& rights, const Kind& kind, std::int64_t id) {
  auto row = connection.query_one(select(kind) + " WHERE s.id = ?", {id});
  if (!row) throw not_found();
  if (!may_see(*row, rights)) throw forbidden();
  return std::move(*row);
}

// What its history keeps.
json::object kept_state(const json::object& shown) {
  json::object out;
  for (auto key : {"name", "description", "archived", "definition", "caveats", "points_of_interest", "show_in_getting_started"}) out[key] = shown.at(key);
  return out;
}

json::object change(Services& services, const Rights& rights, const Kind& kind, std::int64_t id, const DefinitionChange& body) {
  auto out = services.store.write([&](Connection& c) {
    auto before_row = require_definition(c, rights, kind, id);
    auto before = definition_json(before_row);
    std::vector<appdb::Assignment> values;
    if (body.name) values.emplace_back("name", *body.name);
    if (body.definition) {
      check_definition(services, kind, TableId(before_row.integer("table_id")), before_row.id<DatabaseId>("database_id"), *body.definition);
      values.emplace_back("definition", *body.definition);
    }
    if (body.description) values.emplace_back("description", body.description.value);
    if (body.caveats) values.emplace_back("caveats", body.caveats.value);
    if (body.points_of_interest) values.emplace_back("points_of_interest", body.points_of_interest.value);
    if (body.archived) values.emplace_back("archived", *body.archived);
    if (body.show_in_getting_started) values.emplace_back("show_in_getting_started", *body.show_in_getting_started);
    if (!values.empty()) {
      values.emplace_back("updated_at", services.clock.now());
      c.update(kind.table, values, "id", id);
    }
    auto after = definition_json(require_definition(c, rights, kind, id));
    auto was = kept_state(before), is = kept_state(after);
    add_revision(c, {.model = kind.table, .model_id = id, .person = rights.person(), .before = &was, .after = &is, .message = body.revision_message}, services.clock.now());
    return after;
  });
  return out;
}

void add_routes_of(http::Routes& routes, Services& services, const Kind& kind) {
  std::string path = std::string("/api/") + kind.table, word = kind.table;
  routes.get(path, [&services, &kind](Request& r) {
    auto rights = services.rights(r);
    return services.store.read([&](Connection& c) {
      json::array out;
      c.each(select(kind) + " WHERE s.archived = ? ORDER BY lower(s.name), s.id", {false}, [&](const Row& row) {
        // Only what may be seen counts: those of closed tables hide nothing that comes after them.
        if (out.size() < static_cast<std::size_t>(list_cap) && may_see(row, *rights)) out.push_back(definition_json(row));
      });
      return out;
    });
  }).summary("Every " + word + " of tables that the person may see.");
  routes.get(path + "/:id", [&services, &kind](Request& r) {
    auto rights = services.rights(r);
    return services.store.read([&](Connection& c) { return definition_json(require_definition(c, *rights, kind, object_id(c, kind.table, r.path_value("id")))); });
  }).summary("One " + word + ".");
  routes.post(path, [&services, &kind](Request& r, const NewDefinition& body) {
    auto rights = services.rights(r);
    auto out = services.store.write([&](Connection& c) {
      auto table = c.query_one("SELECT database_id FROM data_table WHERE id = ?", {body.table_id});
      if (!table) throw not_found();
      check_definition(services, kind, body.table_id, table->id<DatabaseId>("database_id"), body.definition);
      auto now = services.clock.now();
      auto id = c.insert(kind.table, {{"name", body.name}, {"description", body.description}, {"table_id", body.table_id}, {"definition", body.definition}, {"archived", false},
          {"show_in_getting_started", false}, {"creator_id", rights->person()}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}});
      auto made = definition_json(require_definition(c, *rights, kind, id));
      auto state = kept_state(made);
      add_revision(c, {.model = kind.table, .model_id = id, .person = rights->person(), .kind = RevisionKind::Creation, .after = &state}, now);
      return made;
    });
    return out;
  }).administrator().summary("Make a " + word + ".");
  routes.put(path + "/:id", [&services, &kind](Request& r, const DefinitionChange& body) { return change(services, *services.rights(r), kind, r.path_integer("id"), body); })
      .administrator().summary("Change or archive a " + word + "; `revision_message` says why.");
  routes.del(path + "/:id", [&services, &kind](Request& r) {
    DefinitionChange body;
    body.archived = true;
    body.revision_message = r.query_value("revision_message").value_or("");
    if (body.revision_message.empty()) throw bad_field("revision_message", "value must be a non-blank string.");
    change(services, *services.rights(r), kind, r.path_integer("id"), body);
    return http::Response::no_content();
  }).administrator().summary("Archive a " + word + ".");
}

}  // namespace

std::map<std::int64_t, json::array> definitions_of(Connection& connection, const char* what, const std::vector<TableId>& tables) {
  std::map<std::int64_t, json::array> out;
  auto& kind = std::string_view(what) == "segment" ? segment : measure;
  for (std::size_t from = 0; from < tables.size(); from += 500) {
    appdb::Parameters parameters{false};
    auto to = std::min(tables.size(), from + 500);
    for (auto i = from; i < to; ++i) parameters.emplace_back(tables[i]);
    connection.each(select(kind) + " WHERE s.archived = ? AND s.table_id IN (" + appdb::placeholders(to - from) + ") ORDER BY lower(s.name), s.id", parameters,
                    [&](const Row& row) { out[row.integer("table_id")].push_back(definition_json(row)); });
  }
  return out;
}

void add_segment_routes(http::Routes& routes, Services& services) {
  routes.in_feature("segment");
  add_routes_of(routes, services, segment);
  routes.in_feature("measure");
  add_routes_of(routes, services, measure);
}

}  // namespace basalt::features
