#include "startup/query_environment.h"

namespace basalt::startup {

QueryEnvironment::QueryEnvironment(appdb::Store& store, features::MetadataCache& cache, features::Settings& settings, features::DataSources& data_sources, std::chrono::minutes query_timeout)
    : store_(store), cache_(cache), settings_(settings), data_sources_(data_sources), query_timeout_(query_timeout) {}

std::unique_ptr<query::Catalog> QueryEnvironment::catalog() { return std::make_unique<features::StoreCatalog>(cache_); }

pipeline::Settings QueryEnvironment::settings() {
  pipeline::Settings out;
  out.report_time_zone = settings_.text("report-timezone");
  if (auto start = settings_.text("start-of-week"); !start.empty()) out.start_of_week = start;
  if (auto bins = settings_.value("breakout-bins-num"); bins.is_number()) out.breakout_bins = bins.to_number<std::int64_t>();
  if (auto width = settings_.value("breakout-bin-width"); width.is_number()) out.breakout_bin_width = width.to_number<double>();
  out.query_timeout = query_timeout_;
  return out;
}

std::shared_ptr<pipeline::ConnectionLease> QueryEnvironment::lease(DatabaseId database, std::stop_token gone) { return data_sources_.lease(database, gone); }

void QueryEnvironment::record(const pipeline::RunRecord& run) {
  if (!run.card || !run.completed) return;
  std::lock_guard lock(mutex_);
  if (notes_.size() >= 10'000 && !notes_.contains(*run.card)) return;
  auto& note = notes_[*run.card];
  ++note.runs;
  note.milliseconds += run.took.count();
}

void QueryEnvironment::flush() {
  std::map<CardId, Note> notes;
  {
    std::lock_guard lock(mutex_);
    notes.swap(notes_);
  }
  if (notes.empty()) return;
  auto now = system_clock().now();
  store_.write([&](appdb::Connection& c) {
    for (auto& [card, note] : notes) {
      double average = static_cast<double>(note.milliseconds) / static_cast<double>(note.runs);
      // A moving average: old runs fade, one slow run does not speak for all.
      c.execute("UPDATE card SET average_query_time = coalesce(average_query_time * 0.7 + ? * 0.3, ?), last_used_at = ? WHERE id = ?",
                {average, average, now, card});
    }
  });
}

}  // namespace basalt::startup
