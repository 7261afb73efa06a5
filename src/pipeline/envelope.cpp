#include "pipeline/envelope.h"

#include "pipeline/prepare.h"

namespace basalt::pipeline {
namespace {

std::string error_type_of(const Failure& failure) {
  if (!failure.error_type().empty()) return failure.error_type();
  switch (failure.kind()) {
    case FailureKind::Forbidden: return "missing-required-permissions";
    case FailureKind::Timeout: return "timed-out";
    case FailureKind::Database:
    case FailureKind::Unavailable: return "db";
    case FailureKind::Bug: return "qp";
    default: return "invalid-query";
  }
}

const char* class_of(const Failure& failure) {
  switch (failure.kind()) {
    case FailureKind::Database: return "DatabaseRefused";
    case FailureKind::Timeout: return "Timeout";
    case FailureKind::Forbidden: return "Forbidden";
    case FailureKind::Unavailable: return "Unavailable";
    case FailureKind::Bug: return "Bug";
    default: return "InvalidQuery";
  }
}

// The query as it was run: as received, with its parameters.
void write_query_as_run(std::string& out, const QueryRequest& request) {
  out += '{';
  auto* query = request.dataset_query.if_object();
  bool own_parameters = query && request.parameters.empty() && query->contains("parameters");
  if (query) {
    for (auto& [key, value] : *query) {
      if (key == "middleware" || (key == "parameters" && !own_parameters)) continue;
      json::write_string(out, key);
      out += ':';
      json::write_to(out, value);
      out += ',';
    }
  }
  if (!own_parameters) {
    out += "\"parameters\":";
    json::write_to(out, request.parameters);
    out += ',';
  }
  out += "\"middleware\":{\"js-int-to-string?\":";
  out += request.integers_as_text ? "true" : "false";
  out += ",\"userland-query?\":true,\"add-default-userland-constraints?\":true}}";
}

// Keys after `data`, without braces, each with a comma before it.
void write_facts(std::string& out, const RunFacts& facts, const Failure* failure) {
  auto key = [&](std::string_view name) { out.append(",\"").append(name).append("\":"); };
  auto add_text = [&](std::string_view name, std::string_view text) {
    key(name);
    json::write_string(out, text);
  };
  auto add_number = [&](std::string_view name, std::int64_t number) {
    key(name);
    json::write_number(out, number);
  };
  auto& request = facts.request;
  add_text("status", failure ? "failed" : "completed");
  if (failure) {
    add_text("error", failure->what());
    add_text("error_type", error_type_of(*failure));
    add_text("class", class_of(*failure));
    out += ",\"stacktrace\":[],\"via\":[],\"error_is_curated\":";
    out += failure->kind() != FailureKind::Database ? "true" : "false";
    if (!failure->place().empty()) {
      key("ex-data");
      json::write_to(out, json::object{{"place", failure->place()}});
    }
    if (facts.statement) {
      key("native");
      json::write_to(out, json::object{{"query", facts.statement->text}, {"params", to_json(facts.statement->values)}});
    }
  }
  add_number("row_count", facts.row_count);
  add_number("running_time", facts.took.count());
  auto asked = json::integer(request.dataset_query, "database");
  if (facts.database.value || asked) add_number("database_id", facts.database.value ? facts.database.value : *asked);
  else out += ",\"database_id\":null";
  add_text("context", request.context);
  add_text("started_at", to_text(facts.started_at));
  out += ",\"average_execution_time\":null,\"cached\":null";
  if (request.card) add_number("card_id", request.card->value);
  else if (failure) out += ",\"card_id\":null";
  if (request.dashboard) add_number("dashboard_id", request.dashboard->value);
  out += ",\"json_query\":";
  write_query_as_run(out, request);
}

}  // namespace

void write_data_end(std::string& out, const std::vector<query::ResultColumn>& columns, const sql::Statement& statement, const std::string& time_zone) {
  auto each = [&](auto&& write) {
    bool first = true;
    for (auto& column : columns) {
      if (!first) out += ',';
      first = false;
      write(column);
    }
  };
  out += "],\"cols\":[";
  each([&](auto& column) { column.write_json(out); });
  out += "],\"native_form\":";
  json::write_to(out, json::object{{"query", statement.text}, {"params", to_json(statement.values)}});
  out += ",\"results_timezone\":";
  json::write_string(out, time_zone);
  out += ",\"requested_timezone\":";
  json::write_string(out, time_zone);
  out += ",\"format-rows?\":true,\"results_metadata\":{\"columns\":[";
  each([&](auto& column) { column.write_metadata(out); });
  out += "]},\"insights\":null";
}

void write_envelope_begin(std::string& out) { out += "{\"data\":{\"rows\":["; }

void write_envelope_end(std::string& out, const RunFacts& facts, const Failure* failure) {
  out += facts.shown->data_end;
  if (facts.row_cap > 0) {
    out += ",\"rows_truncated\":";
    json::write_number(out, facts.row_cap);
  }
  out += '}';
  write_facts(out, facts, failure);
  out += '}';
}

std::string failed_envelope(const RunFacts& facts, const Failure& failure) {
  std::string out = "{\"data\":{\"rows\":[],\"cols\":[]}";
  RunFacts none = facts;
  none.row_count = 0;
  write_facts(out, none, &failure);
  out += '}';
  return out;
}

}  // namespace basalt::pipeline
