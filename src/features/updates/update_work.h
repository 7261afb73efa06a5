// The one long piece of work on the application database that this server does at a time: a backup, its verification, a
// restore, putting an upgrade into effect. It runs on a thread of its own, so neither the event loop nor a pool waits for it.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/time.h"
#include "upgrade/upgrade.h"

namespace basalt::features {

class UpdateWork {
 public:
  struct Asked {
    std::string kind;   // backup | verify | restore | finalise | upload
    std::string about;  // what it is done to: the time of a backup, "schema 4"; may be empty
    std::string by;     // who asked
  };
  // What is done: gets where to tell how far it is, gives what came of it as JSON.
  using Job = std::function<json::value(upgrade::Progress&)>;

  explicit UpdateWork(const Clock& clock) : clock_(clock) {}
  ~UpdateWork();  // waits for what runs
  UpdateWork(const UpdateWork&) = delete;

  // Starts `job` on its thread and answers to_json() at once; `afterwards` follows when it went well. Failure Conflict, in
  // one sentence, while something else runs.
  json::value start(Asked asked, Job job, std::function<void()> afterwards = {});
  // The same on the caller's thread: gives what came of it, throws what `job` throws.
  json::value run(Asked asked, const Job& job);
  // What runs, or ran last since the server started; null when there was nothing. Any thread.
  // {id, kind, about, by, started_at, seconds, state: running|done|failed, phase, progress: 0..1 or null, step, steps,
  //  step_name, rows, eta_seconds, error, result}
  json::value to_json() const;

 private:
  struct Piece;
  std::shared_ptr<Piece> begin(Asked asked);
  json::value finish(Piece& piece, const Job& job);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<Piece> piece_;  // GUARDED_BY(mutex_)
  std::int64_t next_ = 1;         // GUARDED_BY(mutex_)
  std::thread thread_;            // GUARDED_BY(mutex_): of the last one started
};

}  // namespace basalt::features
