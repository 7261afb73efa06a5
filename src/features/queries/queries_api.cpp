#include "features/queries/queries_api.h"

#include "base/failure.h"
#include "features/cards/card_queries.h"
#include "features/content/parameter_values.h"
#include "features/content/query_facts.h"
#include "features/databases/metadata_json.h"
#include "query/write.h"

namespace basalt::features {
namespace {

using http::Request;
using http::Response;

// The query of a body, with what a client may say beside it. Form posts bring `query` as JSON text.
pipeline::QueryRequest query_request(const Request& request, json::value body) {
  pipeline::QueryRequest query;
  // Parameters stand inside the query; it is handed on as it came, and the list apart, where the pipeline expects it.
  query.parameters = parameters_from(body);
  if (auto given = json::sub_object(body, "constraints")) {
    auto smaller = [&](const char* key, std::int64_t& limit) {
      if (auto value = json::integer(*given, key); value && *value > 0) limit = std::min(limit, *value);
    };
    smaller("max-results", query.constraints.max_results);
    smaller("max-results-bare-rows", query.constraints.max_results_bare);
  }
  query.dataset_query = std::move(body);
  if (auto* object = query.dataset_query.if_object()) {
    for (auto key : {"parameters", "pretty", "info", "cache-strategy", "context"}) object->erase(key);
  }
  query.gone = request.gone;
  return query;
}

// The rows and columns of a pivot table, from a body's `pivot_rows` and `pivot_cols`.
query::PivotOptions pivot_from(const json::value& body) {
  query::PivotOptions pivot;
  auto read = [&](const char* key, std::vector<std::size_t>& into) {
    auto* list = json::find(body, key);
    if (!list || list->is_null()) return;
    if (!list->is_array()) throw bad_field(key, "value must be an array of positions of breakouts, from 0.");
    pivot.known = true;
    for (auto& item : list->get_array()) {
      auto position = json::as_integer(item);
      if (!position || *position < 0 || *position > 100) throw bad_field(key, "value must be an array of positions of breakouts, from 0.");
      into.push_back(static_cast<std::size_t>(*position));
    }
  };
  read("pivot_rows", pivot.rows);
  read("pivot_cols", pivot.columns);
  pivot.row_totals = json::boolean(body, "show_row_totals").value_or(true);
  pivot.column_totals = json::boolean(body, "show_column_totals").value_or(true);
  return pivot;
}

bool flag_of(const json::value& body, std::string_view key) {
  auto* found = json::find(body, key);
  if (!found) return false;
  if (auto* flag = found->if_bool()) return *flag;
  auto* text = found->if_string();
  return text && *text == "true";
}

Response run(Services& services, const Request& request, pipeline::QueryRequest query, pipeline::Format format, std::string file_name) {
  return Response::stream([&services, rights = services.rights(request), query = std::move(query), format, file_name = std::move(file_name)](http::ResponseStream& out) mutable {
    pipeline::run_query(services.queries, *rights, std::move(query), format, file_name, out);  // a producer runs once
  });
}

Response export_query(Services& services, const Request& request) {
  auto format = format_from(request.path_value("format"));
  auto body = request.json_body();
  json::value dataset_query;
  if (auto* found = json::find(body, "query")) {
    if (auto* text = found->if_string()) {
      auto parsed = json::try_parse(*text);
      if (!parsed) throw bad_field("query", "value must be JSON text of a query.");
      dataset_query = std::move(*parsed);
    } else {
      dataset_query = *found;
    }
  }
  // Older clients post the query itself.
  if ((!dataset_query.is_object() || !dataset_query.get_object().contains("database")) && json::find(body, "database")) dataset_query = body;
  if (!dataset_query.is_object()) throw bad_field("query", "value must be a query: a map with `database` and `type`.");
  auto query = query_request(request, dataset_query);
  if (query.parameters.empty()) query.parameters = parameters_from(body);
  if (format == pipeline::Format::Api) return run(services, request, std::move(query), format, "");
  query.constraints = pipeline::Constraints::downloads();
  query.integers_as_text = false;
  query.byte_order_mark = flag_of(body, "csv_include_bom");
  query.context = format == pipeline::Format::Csv ? "csv-download" : "json-download";
  return run(services, request, std::move(query), format, "query_result_" + to_text(services.clock.now()));
}

// The parameter and fields of a body; the person must be allowed to query each field's table.
ParameterQuestion parameter_question(Services& services, const Request& request, const json::value& body) {
  auto* parameter = json::find(body, "parameter");
  if (!parameter || !parameter->is_object()) throw bad_field("parameter", "value must be a map: the parameter.");
  ParameterQuestion question;
  question.parameter = *parameter;
  auto* ids = json::sub_array(body, "field_ids");
  if (!ids) return question;
  auto rights = services.rights(request);
  auto catalog = services.queries.catalog();
  for (auto& id : *ids) {
    auto number = json::as_integer(id);
    if (!number || *number <= 0) throw bad_field("field_ids", "value must be an array of ids of fields.");
    auto* field = catalog->field(FieldId(*number));
    auto* table = field ? catalog->table(field->table) : nullptr;
    if (!table) throw not_found();
    rights->require_table(table->database, table->schema, table->id);
    question.fields.push_back(field->id);
  }
  return question;
}

}  // namespace

void add_query_routes(http::Routes& routes, Services& services) {
  routes.in_feature("queries");
  routes.post("/api/dataset", [&services](Request& request) {
          return run(services, request, query_request(request, request.json_body()), pipeline::Format::Api, "");
        }).runs_on(http::Pool::Query).summary("Run a query; the rows are streamed. A query that fails answers 202 with status \"failed\".");

  routes.post("/api/dataset/native", [&services](Request& request) {
          auto body = request.json_body();
          bool pretty = json::boolean(body, "pretty").value_or(true);
          auto query = query_request(request, std::move(body));
          using Layout = sql::CompileOptions::Layout;
          auto compiled = pipeline::compile_query(services.queries, *services.rights(request), query, pretty ? Layout::Pretty : Layout::OneLine);
          return json::value(json::object{{"query", compiled.sql}, {"params", compiled.parameters}});
        }).runs_on(http::Pool::Query).summary("The SQL of a query, values written in.");

  routes.post("/api/dataset/pivot", [&services](Request& request) {
          auto body = request.json_body();
          auto pivot = pivot_from(body);
          if (auto* object = body.if_object())
            for (auto key : {"pivot_rows", "pivot_cols", "show_row_totals", "show_column_totals"}) object->erase(key);
          auto query = query_request(request, std::move(body));
          query.pivot = std::move(pivot);
          return run(services, request, std::move(query), pipeline::Format::Api, "");
        }).runs_on(http::Pool::Query).summary("Run a query with the subtotals of a pivot table; `pivot-grouping` says what is rolled up.");

  routes.post("/api/dataset/explain", [&services](Request& request) {
          auto query = query_request(request, request.json_body());
          auto explained = pipeline::explain_query(services.queries, *services.rights(request), query);
          json::array columns;
          for (auto& name : explained.columns) columns.push_back(json::value(name));
          return json::value(json::object{{"engine", explained.compiled.engine}, {"query", explained.compiled.sql}, {"columns", std::move(columns)}, {"rows", std::move(explained.rows)}, {"plan", explained.text}});
        }).runs_on(http::Pool::Query).summary("How the database would run a query: its SQL and the database's plan. Nothing is run.");

  routes.post("/api/dataset/convert", [](Request& request) {
          auto body = request.json_body();
          auto* given = json::find(body, "query");
          if (!given || !given->is_object()) throw bad_field("query", "value must be a query: a map with `database` and `type` or `stages`.");
          auto to = json::text(body, "to").value_or("mbql5");
          if (to != "mbql4" && to != "mbql5") throw bad_field("to", "value must be mbql4 or mbql5.");
          return json::value(json::object{{"query", query::convert_query(*given, to == "mbql5" ? query::Form::Mbql5 : query::Form::Mbql4)}});
        }).summary("The same query in the other form of the query language.");

  routes.post("/api/dataset/query_metadata", [&services](Request& request) {
          auto body = request.json_body();
          UsedThings used;
          used.add(services, body);
          auto rights = services.rights(request);
          return services.store.read([&](appdb::Connection& connection) {
            return json::value(query_metadata_json(services, connection, *rights, used.tables, used.databases, used.fields, used.cards));
          });
        }).summary("Tables, databases and fields that a query uses.");

  routes.post("/api/dataset/parameter/values", [&services](Request& request) {
          auto question = parameter_question(services, request, request.json_body());
          return json::value(parameter_values(services, *services.rights(request), question, request.gone));
        }).runs_on(http::Pool::Query).summary("Values that a filter offers.");

  routes.post("/api/dataset/parameter/search/:query", [&services](Request& request) {
          auto question = parameter_question(services, request, request.json_body());
          question.search = request.path_value("query");
          return json::value(parameter_values(services, *services.rights(request), question, request.gone));
        }).runs_on(http::Pool::Query).summary("Values of a filter that contain a text.");

  routes.post("/api/dataset/parameter/remapping", [&services](Request& request) {
          auto body = request.json_body();
          auto question = parameter_question(services, request, body);
          auto* value = json::find(body, "value");
          auto text = !value ? std::string() : value->is_string() ? std::string(value->get_string()) : json::write(*value);
          return parameter_remapping(services, *services.rights(request), question, text, request.gone);
        }).runs_on(http::Pool::Query).summary("A value of a filter with its label.");

  routes.post("/api/dataset/:format", [&services](Request& request) { return export_query(services, request); })
      .runs_on(http::Pool::Query).summary("Run a query and send its rows as a file: csv or json.");
}

}  // namespace basalt::features
