#include "features/updates/update_work.h"

#include <cmath>

#include "base/failure.h"
#include "base/log.h"

namespace basalt::features {
namespace {

using SteadyClock = std::chrono::steady_clock;

const char* sentence_of(const std::string& kind) {
  if (kind == "backup") return "A backup is being made";
  if (kind == "verify") return "A backup is being verified";
  if (kind == "restore") return "A backup is being restored";
  if (kind == "finalise") return "An upgrade is being put into effect";
  return "Other work on the application database runs";
}

}  // namespace

struct UpdateWork::Piece {
  std::int64_t id = 0;
  Asked asked;
  std::string started_at;
  SteadyClock::time_point began;
  upgrade::Progress progress;
  // Changed once, at the end, under the mutex of the work.
  std::string state = "running", error;
  json::value result;
  double seconds = 0;
};

UpdateWork::~UpdateWork() {
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<UpdateWork::Piece> UpdateWork::begin(Asked asked) {
  if (piece_ && piece_->state == "running")
    throw Failure(FailureKind::Conflict, std::string(sentence_of(piece_->asked.kind)) + " at the moment, and one thing is done at a time; try again when it is done.").with_error_type("busy");
  if (thread_.joinable()) thread_.join();  // it has said its last word already
  auto piece = std::make_shared<Piece>();
  piece->id = next_++;
  piece->asked = std::move(asked);
  piece->started_at = to_text(clock_.now());
  piece->began = SteadyClock::now();
  return piece_ = piece;
}

json::value UpdateWork::finish(Piece& piece, const Job& job) {
  auto ended = [&](std::string state, json::value result, std::string error) {
    std::lock_guard lock(mutex_);
    piece.seconds = std::chrono::duration<double>(SteadyClock::now() - piece.began).count();
    piece.result = std::move(result);
    piece.error = std::move(error);
    piece.state = std::move(state);
  };
  try {
    auto result = job(piece.progress);
    ended("done", result, "");
    return result;
  } catch (const Failure& failure) {
    ended("failed", nullptr, failure.sentence());
    throw;
  } catch (const std::exception&) {
    ended("failed", nullptr, "Something went wrong on our side; the server's log has more.");
    throw;
  }
}

json::value UpdateWork::start(Asked asked, Job job, std::function<void()> afterwards) {
  {
    std::lock_guard lock(mutex_);
    auto piece = begin(std::move(asked));
    auto work = [this, piece, job = std::move(job), afterwards = std::move(afterwards)] {
      try {
        finish(*piece, job);
        if (afterwards) afterwards();
      } catch (const std::exception& error) {
        log::warning("Work on the application database failed", {{"kind", piece->asked.kind}, {"error", error.what()}});
      }
    };
    try {
      thread_ = std::thread(std::move(work));
    } catch (const std::system_error&) {
      piece_.reset();  // nothing runs
      throw Failure(FailureKind::Unavailable, "The server has no thread to spare for this at the moment; try again soon.");
    }
  }
  return to_json();
}

json::value UpdateWork::run(Asked asked, const Job& job) {
  std::shared_ptr<Piece> piece;
  {
    std::lock_guard lock(mutex_);
    piece = begin(std::move(asked));
  }
  return finish(*piece, job);
}

json::value UpdateWork::to_json() const {
  std::lock_guard lock(mutex_);
  if (!piece_) return nullptr;
  auto& p = *piece_;
  auto now = p.progress.now();
  bool running = p.state == "running";
  auto text_or_null = [](const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); };
  auto tenths = [](double seconds) { return std::round(seconds * 10) / 10; };
  return json::object{{"id", p.id}, {"kind", p.asked.kind}, {"about", text_or_null(p.asked.about)}, {"by", text_or_null(p.asked.by)}, {"started_at", p.started_at},
                      {"seconds", tenths(running ? std::chrono::duration<double>(SteadyClock::now() - p.began).count() : p.seconds)}, {"state", p.state},
                      {"phase", now.state == "starting" ? json::value(nullptr) : json::value(now.state)},
                      {"progress", !running ? json::value(p.state == "done" ? 1.0 : now.fraction) : now.fraction > 0 ? json::value(std::round(now.fraction * 1000) / 1000) : json::value(nullptr)},
                      {"step", now.step}, {"steps", now.steps}, {"step_name", text_or_null(now.step_name)}, {"rows", now.rows},
                      {"eta_seconds", running && now.eta_seconds ? json::value(static_cast<std::int64_t>(std::ceil(*now.eta_seconds))) : json::value(nullptr)},
                      {"error", text_or_null(p.error)}, {"result", p.result}};
}

}  // namespace basalt::features
