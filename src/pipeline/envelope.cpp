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
  auto add = [&](std::string_view key, auto&& value) {
    out += ',';
    json::write_string(out, key);
    out += ':';
    json::write_to(out, json::value(std::forward<decltype(value)>(value)));
  };
  auto& request = facts.request;
  add("status", failure ? "failed" : "completed");
  if (failure) {
    add("error", std::string_view(failure->what()));
    add("error_type", error_type_of(*failure));
    add("class", class_of(*failure));
    add("stacktrace", json::array());
    add("via", json::array());
    add("error_is_curated", failure->kind() != FailureKind::Database);
    if (!failure->place().empty()) add("ex-data", json::object{{"place", failure->place()}});
    if (facts.statement) add("native", json::object{{"query", facts.statement->text}, {"params", to_json(facts.statement->values)}});
  }
  add("row_count", facts.row_count);
  add("running_time", facts.took.count());
  add("database_id", facts.database.value ? json::value(facts.database.value) : json::integer(request.dataset_query, "database") ? json::value(*json::integer(request.dataset_query, "database")) : json::value(nullptr));
  add("context", request.context);
  add("started_at", to_text(facts.started_at));
  add("average_execution_time", nullptr);
  add("cached", nullptr);
  if (request.card) add("card_id", request.card->value);
  else if (failure) add("card_id", nullptr);
  if (request.dashboard) add("dashboard_id", request.dashboard->value);
  out += ",\"json_query\":";
  write_query_as_run(out, request);
}

void write_data_end(std::string& out, const RunFacts& facts) {
  out += "],\"cols\":[";
  auto each = [&](auto&& write) {
    bool first = true;
    for (auto& column : *facts.columns) {
      if (!first) out += ',';
      first = false;
      write(column);
    }
  };
  if (facts.columns) each([&](auto& column) { column.write_json(out); });
  out += "],\"native_form\":";
  if (facts.statement) json::write_to(out, json::object{{"query", facts.statement->text}, {"params", to_json(facts.statement->values)}});
  else out += "null";
  out += ",\"results_timezone\":";
  json::write_string(out, facts.time_zone.empty() ? "UTC" : facts.time_zone);
  out += ",\"requested_timezone\":";
  json::write_string(out, facts.time_zone.empty() ? "UTC" : facts.time_zone);
  out += ",\"format-rows?\":true,\"results_metadata\":{\"columns\":[";
  if (facts.columns) each([&](auto& column) { column.write_metadata(out); });
  out += "]},\"insights\":null";
  if (facts.row_cap > 0) out += ",\"rows_truncated\":" + std::to_string(facts.row_cap);
  out += '}';
}

}  // namespace

void write_envelope_begin(std::string& out) { out += "{\"data\":{\"rows\":["; }

void write_envelope_end(std::string& out, const RunFacts& facts, const Failure* failure) {
  write_data_end(out, facts);
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
