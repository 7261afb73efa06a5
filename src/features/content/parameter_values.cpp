#include "features/content/parameter_values.h"

#include <algorithm>

namespace basalt::features {
namespace {

using appdb::Connection;
using permissions::Rights;

std::string shown(const json::value& value) { return value.is_string() ? std::string(value.get_string()) : json::write(value); }

bool contains(const json::value& entry, const std::optional<std::string>& search) {
  if (!search || search->empty()) return true;
  auto wanted = lower_utf8(*search);
  for (auto& part : entry.get_array()) {
    if (!part.is_null() && lower_utf8(shown(part)).find(wanted) != std::string::npos) return true;
  }
  return false;
}

// Collects different values up to the limit, in the order they come.
struct Collected {
  json::array values;
  std::set<std::string> seen;
  bool more = false;
  void add(json::value entry) {
    if (entry.get_array()[0].is_null() || !seen.insert(json::write(entry.get_array()[0])).second) return;
    if (values.size() >= parameter_values_at_most) more = true;
    else values.push_back(std::move(entry));
  }
  json::object answer() && { return {{"values", std::move(values)}, {"has_more_values", more}}; }
};

json::value entry_of(const json::value& value) {
  json::array entry;
  if (auto* pair = value.if_array()) {
    for (std::size_t i = 0; i < std::min<std::size_t>(pair->size(), 2); ++i) entry.push_back((*pair)[i]);
  } else {
    entry.push_back(value);
  }
  if (entry.empty()) entry.push_back(nullptr);
  return entry;
}

json::array field_clause(FieldId id, std::optional<FieldId> through = std::nullopt) {
  json::array clause{"field", id.value};
  clause.push_back(through ? json::value(json::object{{"source-field", through->value}}) : json::value(nullptr));
  return clause;
}

void add_fixed_list(const json::value& config, const std::optional<std::string>& search, Collected& out) {
  auto* values = json::sub_array(config, "values");
  if (!values) return;
  for (auto& value : *values) {
    auto entry = entry_of(value);
    if (contains(entry, search)) out.add(std::move(entry));
  }
}

void add_card_column(Services& services, const Rights& rights, const json::value& config, const std::optional<std::string>& search, std::stop_token gone, Collected& out) {
  auto card_id = json::integer(config, "card_id");
  auto* value_field = json::find(config, "value_field");
  if (!card_id || !value_field) return;
  auto card = services.store.read([&](Connection& c) { return c.query_one("SELECT id, database_id, collection_id FROM card WHERE id = ? AND archived = FALSE", {*card_id}); });
  if (!card) throw not_found();
  rights.require_view(card->optional_id<CollectionId>("collection_id"));
  json::array breakout{*value_field};
  if (auto* label = json::find(config, "label_field")) breakout.push_back(*label);
  json::object inner{{"source-table", "card__" + std::to_string(*card_id)}, {"breakout", breakout}};
  inner["limit"] = static_cast<std::int64_t>(parameter_values_at_most + 1);
  if (search && !search->empty()) inner["filter"] = json::array{"contains", breakout.back(), *search, json::object{{"case-sensitive", false}}};
  pipeline::QueryRequest query;
  query.dataset_query = json::object{{"database", card->integer("database_id")}, {"type", "query"}, {"query", std::move(inner)}};
  query.gone = std::move(gone);
  for (auto& row : pipeline::query_rows(services.queries, permissions::server_rights(), query, parameter_values_at_most + 1)) {
    if (row.is_array() && !row.get_array().empty()) out.add(entry_of(row));
  }
}

// Values that the last sync kept; false when there are none or not all of them.
bool add_kept_values(Services& services, FieldId field, const std::optional<std::string>& search, Collected& out) {
  auto row = services.store.read([&](Connection& c) {
    return c.query_one("SELECT values_json, human_readable_values, has_more_values FROM field_values WHERE field_id = ?", {field});
  });
  if (!row || row->boolean("has_more_values")) return false;
  auto values = row->json("values_json"), labels = row->json("human_readable_values");
  if (!values.is_array()) return false;
  for (std::size_t i = 0; i < values.get_array().size(); ++i) {
    auto entry = entry_of(values.get_array()[i]);
    if (labels.is_array() && i < labels.get_array().size() && entry.get_array().size() == 1 && !labels.get_array()[i].is_null()) entry.get_array().push_back(labels.get_array()[i]);
    if (contains(entry, search)) out.add(std::move(entry));
  }
  return true;
}

// The clause for `other` in a query on `table`: its own field, or one that a foreign key of the table leads to.
std::optional<json::array> reachable(query::Catalog& catalog, TableId table, FieldId other) {
  auto* field = catalog.field(other);
  if (!field) return std::nullopt;
  if (field->table == table) return field_clause(other);
  for (auto* key : catalog.fields_of(table)) {
    auto* target = key->fk_target ? catalog.field(*key->fk_target) : nullptr;
    if (target && target->table == field->table) return field_clause(other, key->id);
  }
  return std::nullopt;
}

void add_queried_values(Services& services, FieldId id, const ParameterQuestion& question, std::stop_token gone, Collected& out) {
  auto catalog = services.queries.catalog();
  auto* field = catalog->field(id);
  auto* table = field ? catalog->table(field->table) : nullptr;
  if (!table || !table->active) return;
  json::array breakout;
  breakout.push_back(field_clause(id));
  if (field->remap_to_field) breakout.push_back(field_clause(*field->remap_to_field, id));
  json::object inner{{"source-table", table->id.value}, {"breakout", breakout}};
  inner["limit"] = static_cast<std::int64_t>(parameter_values_at_most + 1);
  bool is_text = (field->remap_to_field ? std::string("type/Text") : field->base_type).starts_with("type/Text");
  if (question.search && !question.search->empty() && is_text && field->remap_values.empty())
    inner["filter"] = json::array{"contains", breakout.back(), *question.search, json::object{{"case-sensitive", false}}};
  pipeline::QueryRequest query;
  for (auto& other : question.others) {
    for (auto other_id : other.fields) {
      auto clause = reachable(*catalog, table->id, other_id);
      if (!clause) continue;
      json::array target{"dimension"};
      target.push_back(std::move(*clause));
      query.parameters.push_back(json::object{{"type", other.type}, {"target", std::move(target)}, {"value", other.value}});
      break;
    }
  }
  query.dataset_query = json::object{{"database", table->database.value}, {"type", "query"}, {"query", std::move(inner)}};
  query.gone = std::move(gone);
  for (auto& row : pipeline::query_rows(services.queries, permissions::server_rights(), query, parameter_values_at_most + 1)) {
    if (!row.is_array() || row.get_array().empty()) continue;
    auto entry = entry_of(row);
    for (auto& [value, label] : field->remap_values) {
      if (entry.get_array().size() == 1 && value == entry.get_array()[0]) entry.get_array().push_back(json::value(label));
    }
    if (contains(entry, question.search)) out.add(std::move(entry));
  }
}

}  // namespace

const json::value& require_parameter(const json::array& parameters, std::string_view id) {
  for (auto& parameter : parameters) {
    if (json::text(parameter, "id") == id) return parameter;
  }
  throw not_found();
}

json::object parameter_values(Services& services, const Rights& rights, const ParameterQuestion& question, std::stop_token gone) {
  Collected out;
  auto source = json::text(question.parameter, "values_source_type");
  const json::value* config = json::find(question.parameter, "values_source_config");
  const json::value nothing = json::object();
  if (source == "static-list") {
    add_fixed_list(config ? *config : nothing, question.search, out);
  } else if (source == "card") {
    add_card_column(services, rights, config ? *config : nothing, question.search, gone, out);
  } else {
    for (auto field : question.fields) {
      if (question.others.empty() && add_kept_values(services, field, question.search, out)) continue;
      add_queried_values(services, field, question, gone, out);
    }
  }
  return std::move(out).answer();
}

json::value parameter_remapping(Services& services, const Rights& rights, const ParameterQuestion& question, const std::string& value, std::stop_token gone) {
  auto answer = parameter_values(services, rights, question, gone);
  for (auto& entry : answer["values"].get_array()) {
    if (shown(entry.get_array()[0]) == value) return entry;
  }
  return json::array{json::value(value)};
}

void add_parameter_value_routes(http::Routes& routes, Services& services, const std::string& base, const std::string& summary, QuestionOf question_of) {
  routes.get(base + "/params/:key/values", [&services, question_of](http::Request& r) {
    auto rights = services.rights(r);
    return parameter_values(services, *rights, question_of(*rights, r), r.gone);
  }).runs_on(http::Pool::Query).summary(summary);
  routes.get(base + "/params/:key/search/:query", [&services, question_of](http::Request& r) {
    auto rights = services.rights(r);
    auto question = question_of(*rights, r);
    question.search = r.path_value("query");
    return parameter_values(services, *rights, question, r.gone);
  }).runs_on(http::Pool::Query).summary("The same, only those that contain a text.");
  routes.get(base + "/params/:key/remapping", [&services, question_of](http::Request& r) {
    auto rights = services.rights(r);
    auto value = r.query_value("value");
    if (!value) throw bad_field("value", "value must be given.");
    return parameter_remapping(services, *rights, question_of(*rights, r), *value, r.gone);
  }).runs_on(http::Pool::Query).summary("The label of one value.");
}

}  // namespace basalt::features
