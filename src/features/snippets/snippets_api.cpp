#include "features/snippets/snippets_api.h"

#include "base/random.h"
#include "features/collections/collections.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;
using http::Request;
using permissions::DataRight;
using permissions::Rights;

const char* snippet_name(const json::value& value) {
  if (auto* sentence = object_name(value)) return sentence;
  auto& name = value.get_string();
  if (name[0] == ' ' || name.find('}') != boost::json::string::npos) return "snippet names cannot include '}' or start with spaces";
  return nullptr;
}

struct NewSnippet {
  std::string name, content;
  std::optional<std::string> description;
  Patch<json::value> collection_id;
  static constexpr auto fields() {
    return json_fields(field("name", &NewSnippet::name, snippet_name), field("content", &NewSnippet::content), field("description", &NewSnippet::description),
                       field("collection_id", &NewSnippet::collection_id));
  }
};
struct SnippetChange {
  std::optional<std::string> name, content;
  Patch<std::string> description;
  std::optional<bool> archived;
  Patch<json::value> collection_id;
  static constexpr auto fields() {
    return json_fields(field("name", &SnippetChange::name, snippet_name), field("content", &SnippetChange::content), field("description", &SnippetChange::description),
                       field("archived", &SnippetChange::archived), field("collection_id", &SnippetChange::collection_id));
  }
};

bool writes_sql_somewhere(Connection& connection, const Rights& rights) {
  if (rights.is_administrator()) return true;
  bool found = false;
  connection.each("SELECT id FROM \"database\"", {}, [&](const Row& row) { found = found || rights.whole_database(row.id<DatabaseId>("id")) == DataRight::BuilderAndSql; });
  return found;
}

std::string select_snippets() {
  return "SELECT s.id, s.name, s.description, s.content, s.collection_id, s.archived, s.creator_id, s.template_tags, s.entity_id, s.created_at, s.updated_at, " + person_columns("creator") +
         " FROM snippet s LEFT JOIN person creator ON creator.id = s.creator_id";
}

json::object snippet_json(const Row& row) {
  return {{"id", row.integer("id")}, {"name", row.text("name")}, {"description", text_or_null(row, "description")}, {"content", row.text("content")},
          {"archived", row.boolean("archived")}, {"collection_id", integer_or_null(row, "collection_id")}, {"creator_id", integer_or_null(row, "creator_id")},
          {"creator", person_json(row, "creator")}, {"template_tags", object_or_empty(row, "template_tags")}, {"entity_id", text_or_null(row, "entity_id")},
          {"created_at", row.text("created_at")}, {"updated_at", row.text("updated_at")}};
}

json::object require_snippet(Connection& connection, const Rights& rights, std::int64_t id) {
  auto row = connection.query_one(select_snippets() + " WHERE s.id = ?", {id});
  if (!row || !writes_sql_somewhere(connection, rights)) throw not_found();
  if (!row->is_null("collection_id")) rights.require_view(row->optional_id<CollectionId>("collection_id"));
  return snippet_json(*row);
}

// Snippets at the top are everybody's who writes SQL; those in a folder follow the folder's rights.
std::optional<CollectionId> require_folder(Connection& connection, const Rights& rights, const json::value& wanted) {
  auto id = collection_from(connection, wanted);
  if (!id) return id;
  auto folder = find_collection(connection, *id);
  if (!folder) throw not_found();
  if (folder->name_space != "snippets") throw bad_field("collection_id", "A snippet lies in a folder for snippets, not in a collection of questions.");
  rights.require_curate(id);
  return id;
}

void require_free_name(Connection& connection, const std::string& name, std::int64_t except) {
  if (connection.count("SELECT count(*) FROM snippet WHERE name = ? AND id <> ?", {name, except})) refuse("A snippet with that name already exists. Please pick a different name.");
}

}  // namespace

void add_snippet_routes(http::Routes& routes, Services& services) {
  routes.in_feature("snippet");
  routes.get("/api/native-query-snippet", [&services](Request& r) {
    auto rights = services.rights(r);
    bool archived = r.query_flag("archived");
    return services.store.read([&](Connection& c) {
      json::array out;
      if (!writes_sql_somewhere(c, *rights)) return out;
      c.each(select_snippets() + " WHERE s.archived = ? ORDER BY lower(s.name), s.id LIMIT ?", {archived, list_cap}, [&](const Row& row) {
        auto folder = row.optional_id<CollectionId>("collection_id");
        if (!folder || rights->collection(folder) != permissions::CollectionRight::None) out.push_back(snippet_json(row));
      });
      return out;
    });
  }).summary("Snippets of SQL.");
  routes.get("/api/native-query-snippet/:id", [&services](Request& r) {
    auto rights = services.rights(r);
    return services.store.read([&](Connection& c) { return require_snippet(c, *rights, object_id(c, "snippet", r.path_value("id"))); });
  }).summary("One snippet.");
  routes.post("/api/native-query-snippet", [&services](Request& r, const NewSnippet& body) {
    auto rights = services.rights(r);
    return services.store.write([&](Connection& c) {
      if (!writes_sql_somewhere(c, *rights)) throw forbidden();
      auto folder = require_folder(c, *rights, body.collection_id.value.value_or(nullptr));
      require_free_name(c, body.name, 0);
      auto now = services.clock.now();
      auto id = c.insert("snippet", {{"name", body.name}, {"description", body.description}, {"content", body.content}, {"collection_id", folder}, {"archived", false},
          {"creator_id", rights->person()}, {"template_tags", json::object()}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}});
      return require_snippet(c, *rights, id);
    });
  }).summary("Make a snippet.");
  routes.put("/api/native-query-snippet/:id", [&services](Request& r, const SnippetChange& body) {
    auto rights = services.rights(r);
    auto id = r.path_integer("id");
    return services.store.write([&](Connection& c) {
      auto before = require_snippet(c, *rights, id);
      if (!before["collection_id"].is_null()) rights->require_curate(CollectionId(before["collection_id"].get_int64()));
      std::vector<appdb::Assignment> values;
      if (body.name) {
        require_free_name(c, *body.name, id);
        values.emplace_back("name", *body.name);
      }
      if (body.content) values.emplace_back("content", *body.content);
      if (body.description) values.emplace_back("description", body.description.value);
      if (body.archived) values.emplace_back("archived", *body.archived);
      if (body.collection_id) values.emplace_back("collection_id", require_folder(c, *rights, body.collection_id.value.value_or(nullptr)));
      if (!values.empty()) {
        values.emplace_back("updated_at", services.clock.now());
        c.update("snippet", values, "id", id);
      }
      return require_snippet(c, *rights, id);
    });
  }).summary("Change or archive a snippet.");
}

}  // namespace basalt::features
