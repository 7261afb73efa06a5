#include "pipeline/run_query.h"

#include <optional>
#include <map>
#include <set>

#include "base/failure.h"
#include "base/log.h"
#include "base/time.h"
#include "base/time_zone.h"
#include "pipeline/cancellation.h"
#include "pipeline/connection_lease.h"
#include "pipeline/envelope.h"
#include "pipeline/prepare.h"
#include "stream/encoder.h"

namespace basalt::pipeline {
namespace {

using Steady = std::chrono::steady_clock;

// Bytes on their way out: sent in good pieces, and at once when rows come slowly.
class Answer {
 public:
  Answer(http::ResponseStream& out, int status, std::vector<std::pair<std::string, std::string>> headers)
      : out_(out), status_(status), headers_(std::move(headers)) {
    buffer_.reserve(8 << 10);  // a short answer, without growing
  }

  std::string& buffer() { return buffer_; }
  bool began() const { return began_; }
  void send_if_due() {
    if (buffer_.size() >= piece || (!buffer_.empty() && Steady::now() - sent_at_ >= patience)) send();
  }
  void send() {
    if (!began_) out_.start(status_, std::move(headers_));
    began_ = true;
    if (!buffer_.empty()) out_.write(buffer_);
    buffer_.clear();
    sent_at_ = Steady::now();
  }

 private:
  static constexpr std::size_t piece = 48 << 10;
  static constexpr std::chrono::milliseconds patience{20};
  http::ResponseStream& out_;
  const int status_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string buffer_;
  bool began_ = false;
  Steady::time_point sent_at_ = Steady::now();
};

// A statement that runs: the connection it has, its cursor, and cancelling when the client goes.
class Run {
 public:
  Run(Environment& environment, const Prepared& prepared, const std::stop_token& gone, bool bulk)
      : Run(environment, prepared, prepared->statement, gone, bulk) {}
  // The same with another statement for the same database.
  Run(Environment& environment, const Prepared& prepared, const sql::Statement& statement, const std::stop_token& gone, bool bulk)
      : lease_(environment.lease(prepared->uses.database, gone)), cancel_(gone, lease_->connection()) {
    drivers::ExecuteOptions options;
    options.time_zone = prepared->time_zone;
    options.deadline = prepared.deadline;
    options.repeatable = !prepared->uses.native && prepared->uses.cards.empty();  // people's own SQL may say DATE 'today'
    options.bulk = bulk;
    cursor_ = lease_->connection().execute(statement, options);
  }
  drivers::Cursor& cursor() { return *cursor_; }

 private:
  std::shared_ptr<ConnectionLease> lease_;
  CancelOnStop cancel_;
  std::unique_ptr<drivers::Cursor> cursor_;  // ends first
};

std::vector<stream::OutputColumn> output_columns(const std::vector<query::ResultColumn>& columns, bool unique_titles) {
  std::vector<stream::OutputColumn> result;
  std::set<std::string> titles;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    auto& column = columns[i];
    stream::OutputColumn out{.title = column.display_name.empty() ? column.name : column.display_name, .source = i};
    if (unique_titles && !titles.insert(out.title).second) out.title = column.name;
    if (!column.converted_timezone.empty()) out.zone = TimeZone::find(column.converted_timezone);
    if (column.labels_of) {
      auto labels = std::make_shared<stream::Labels>();
      for (auto& [value, label] : column.labels) labels->emplace(json::write(value), label);
      out.source = *column.labels_of;
      out.labels = std::move(labels);
    }
    result.push_back(std::move(out));
  }
  return result;
}

const char* content_type(Format format) { return format == Format::Csv ? "text/csv; charset=utf-8" : "application/json;charset=utf-8"; }

std::string disposition(const std::string& file_name, Format format) {
  std::string plain, encoded;
  for (unsigned char c : file_name) {
    bool simple = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == ':' || c == ' ';
    plain += simple ? static_cast<char>(c) : '_';
    if (simple && c != ' ') encoded += static_cast<char>(c);
    else {
      encoded += '%';
      encoded += "0123456789ABCDEF"[c >> 4];
      encoded += "0123456789ABCDEF"[c & 15];
    }
  }
  const char* suffix = format == Format::Csv ? ".csv" : ".json";
  auto text = "attachment; filename=\"" + plain + suffix + "\"";
  if (plain != file_name) text += "; filename*=UTF-8''" + encoded + suffix;
  return text;
}

// What was thrown, as a Failure to tell the person; std exceptions are ours.
Failure failure_now() {
  try {
    throw;
  } catch (const Failure& failure) {
    return failure;
  } catch (const std::exception& error) {
    log::error("query failed", {{"reason", error.what()}});
    return Failure(FailureKind::Bug, "The query failed for a reason of the server's own; its log says more.");
  }
}

// At most `limit` rows of what runs, as the API writes them.
json::array first_rows(Run& run, stream::Encoder& encoder, std::size_t limit) {
  std::string text = "[";
  std::size_t written = 0;
  for (rows::Batch batch; written < limit && run.cursor().next(batch);) {
    auto taken = std::min(batch.rows(), limit - written);
    encoder.append(text, batch, taken);
    written += taken;
  }
  text += ']';
  return json::parse(text).as_array();
}

}  // namespace

void run_query(Environment& environment, const permissions::Rights& rights, QueryRequest request, Format format, const std::string& file_name,
               http::ResponseStream& out) {
  auto began = Steady::now();
  RunFacts facts{.database = {}, .request = request, .started_at = system_clock().now()};
  std::vector<std::pair<std::string, std::string>> headers{{"Content-Type", content_type(format)}, {"X-Accel-Buffering", "no"}};
  if (format != Format::Api) headers.emplace_back("Content-Disposition", disposition(file_name, format));
  Answer answer(out, format == Format::Api ? 202 : 200, std::move(headers));
  Prepared prepared;
  std::shared_ptr<const Shown> shown;
  auto finish = [&](bool completed) {
    facts.took = std::chrono::round<std::chrono::milliseconds>(Steady::now() - began);
    environment.record({request.card, facts.database, facts.row_count, facts.took, completed});
  };
  try {
    prepared = prepare(environment, rights, request, Ask::Rights);
    facts.database = prepared->uses.database;
    facts.statement = &prepared->statement;
    Run run(environment, prepared, request.gone, format != Format::Api);
    shown = show_columns(*prepared.compiled, run.cursor().columns(), request.card_metadata);
    facts.shown = shown.get();

    stream::EncoderOptions options{.integers_as_text = format == Format::Api && prepared->integers_as_text,
                                   .zone = TimeZone::find(prepared->time_zone),
                                   .byte_order_mark = request.byte_order_mark};
    auto columns = output_columns(shown->columns, format == Format::Json);
    auto encoder = format == Format::Csv ? stream::csv(std::move(columns), options)
                   : format == Format::Json ? stream::json_objects(std::move(columns), options)
                                            : stream::api_rows(std::move(columns), options);
    if (format == Format::Api) write_envelope_begin(answer.buffer());
    encoder->begin(answer.buffer());
    for (rows::Batch batch; run.cursor().next(batch);) {
      auto rows = static_cast<std::int64_t>(batch.rows());
      bool cut = prepared->row_cap > 0 && facts.row_count + rows > prepared->row_cap;
      if (cut) rows = prepared->row_cap - facts.row_count;
      encoder->append(answer.buffer(), batch, static_cast<std::size_t>(rows));
      facts.row_count += rows;
      answer.send_if_due();
      if (cut) {
        facts.row_cap = prepared->row_cap;
        break;
      }
    }
    encoder->end(answer.buffer());
  } catch (...) {
    auto failure = failure_now();
    finish(false);
    if (failure.kind() == FailureKind::Cancelled || request.gone.stop_requested()) throw failure;
    if (format != Format::Api && answer.began()) throw failure;  // half a file: the connection is cut
    if (answer.began()) {
      write_envelope_end(answer.buffer(), facts, &failure);
      answer.send();
      return;
    }
    // A body that is no query, a saved card that may not be seen and a database that is closed altogether are errors; anything
    // else is a query that failed.
    if (failure.kind() == FailureKind::BadRequest && !failure.fields().empty()) throw failure;
    DatabaseId asked(json::integer(request.dataset_query, "database").value_or(0));
    if (failure.kind() == FailureKind::Forbidden && (request.card || !rights.any_table(asked))) throw failure;
    if (format != Format::Api) {
      // No file: why not, as JSON.
      out.start(400, {{"Content-Type", content_type(Format::Api)}});
      out.write(failed_envelope(facts, failure));
      return;
    }
    answer.buffer() = failed_envelope(facts, failure);
    answer.send();
    return;
  }
  finish(true);
  if (format == Format::Api) write_envelope_end(answer.buffer(), facts, nullptr);
  answer.send();
}

Compiled compile_query(Environment& environment, const permissions::Rights& rights, const QueryRequest& request, sql::CompileOptions::Layout layout) {
  auto prepared = prepare(environment, rights, request, Ask::NativeRights, {layout});
  return {prepared->engine, sql::show(prepared->statement, *prepared->dialect), nullptr};
}

Explained explain_query(Environment& environment, const permissions::Rights& rights, const QueryRequest& request) {
  auto prepared = prepare(environment, rights, request, Ask::NativeRights);
  if (prepared->dialect->explain.empty()) throw Failure(FailureKind::Unsupported, prepared->dialect->title + " does not say how it would run a query.");
  Explained result{compile_query(environment, rights, request, sql::CompileOptions::Layout::Pretty), {}, {}, {}};
  sql::Statement asked{prepared->dialect->explain + prepared->statement.text, prepared->statement.values};
  Run run(environment, prepared, asked, request.gone, false);
  for (auto& column : run.cursor().columns()) result.columns.push_back(column.name);
  constexpr std::size_t most_lines = 10'000;
  stream::EncoderOptions options{.integers_as_text = false};
  std::vector<stream::OutputColumn> columns;
  for (std::size_t i = 0; i < result.columns.size(); ++i) columns.push_back({.title = result.columns[i], .source = i});
  auto encoder = stream::api_rows(std::move(columns), options);
  result.rows = first_rows(run, *encoder, most_lines);
  // Plans are one text a line, or a tree by the number of the parent in front of it (SQLite).
  std::map<std::int64_t, std::size_t> depths;
  for (auto& row : result.rows) {
    auto& cells = row.get_array();
    std::size_t depth = 0;
    if (cells.size() == 4 && result.columns[0] == "id" && result.columns[1] == "parent") {
      auto parent = depths.find(json::as_integer(cells[1]).value_or(0));
      depth = parent == depths.end() ? 0 : parent->second + 1;
      depths[json::as_integer(cells[0]).value_or(0)] = depth;
    }
    bool single = cells.size() == 1 || (cells.size() == 4 && result.columns[0] == "id") || (cells.size() == 2 && result.columns[0] == "explain_key");
    result.text.append(depth * 2, ' ');
    for (std::size_t i = single ? cells.size() - 1 : 0; i < cells.size(); ++i) {
      if (i && !single) result.text += " | ";
      result.text += cells[i].is_string() ? std::string(cells[i].get_string()) : json::write(cells[i]);
    }
    result.text += '\n';
  }
  return result;
}

json::array result_metadata(Environment& environment, const permissions::Rights& rights, const QueryRequest& request) {
  auto prepared = prepare(environment, rights, request, Ask::Rights);
  std::shared_ptr<const Shown> shown;
  if (!prepared->columns_known) {
    // The driver knows: asked for no rows, or for one where only a value shows its type.
    std::string_view text = prepared->statement.text;
    while (!text.empty() && (text.back() == ';' || static_cast<unsigned char>(text.back()) <= ' ')) text.remove_suffix(1);
    sql::Statement probe{"SELECT * FROM (\n" + std::string(text) + "\n) AS source LIMIT " + (prepared->dialect->supports.temporal_types ? "0" : "1"), prepared->statement.values};
    try {
      Run run(environment, prepared, probe, request.gone, false);
      shown = show_columns(*prepared.compiled, run.cursor().columns(), request.card_metadata);
    } catch (const Failure& failure) {
      if (failure.kind() != FailureKind::Database) throw;
      Run run(environment, prepared, request.gone, false);  // not every statement stands in brackets
      shown = show_columns(*prepared.compiled, run.cursor().columns(), request.card_metadata);
    }
  }
  json::array out;
  for (auto& column : shown ? shown->columns : prepared->columns) out.push_back(column.to_metadata());
  return out;
}

json::array query_rows(Environment& environment, const permissions::Rights& rights, QueryRequest request, std::size_t limit) {
  auto prepared = prepare(environment, rights, request, Ask::Rights);
  Run run(environment, prepared, request.gone, false);
  auto shown = show_columns(*prepared.compiled, run.cursor().columns(), request.card_metadata);
  stream::EncoderOptions options{.integers_as_text = false, .zone = TimeZone::find(prepared->time_zone)};
  auto encoder = stream::api_rows(output_columns(shown->columns, false), options);
  return first_rows(run, *encoder, limit);
}

}  // namespace basalt::pipeline
