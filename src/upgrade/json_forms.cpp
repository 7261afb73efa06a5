#include <cmath>

#include "upgrade/upgrade.h"

namespace basalt::upgrade {
namespace {

double rounded(double v, double to) { return std::round(v * to) / to; }

const char* decision_name(Decision d) {
  switch (d) {
    case Decision::Fresh: return "fresh";
    case Decision::Upgrade: return "upgrade";
    case Decision::Run: return "run";
    case Decision::RunNewer: return "run-newer";
    case Decision::Refuse: return "refuse";
  }
  return "";
}

json::value text_or_null(const std::string& s) { return s.empty() ? json::value(nullptr) : json::value(s); }

}  // namespace

ProgressNow Progress::now() const {
  std::lock_guard lock(mutex_);
  return now_;
}

void Progress::set(const std::function<void(ProgressNow&)>& change) {
  std::lock_guard lock(mutex_);
  change(now_);
}

json::object ProgressNow::to_json() const {
  if (state == "done") return {{"status", "ok"}};
  json::object out{{"status", state == "failed" ? "failed" : "initializing"}, {"progress", rounded(fraction, 1000)}, {"state", state}};
  if (steps > 0) out["step"] = std::to_string(step) + " of " + std::to_string(steps);
  if (!step_name.empty()) out["step_name"] = step_name;
  if (rows > 0) out["rows"] = rows;
  if (eta_seconds) out["eta_seconds"] = static_cast<std::int64_t>(std::ceil(*eta_seconds));
  if (!error.empty()) out["error"] = error;
  return out;
}

json::object Status::to_json() const {
  return {{"schema", schema}, {"target", target}, {"compat_floor", compat_floor}, {"made_by", text_or_null(made_by)}, {"binary", binary}, {"instance_id", text_or_null(instance_id)},
          {"engine", engine == appdb::Engine::Sqlite ? "sqlite" : "postgres"}, {"decision", decision_name(decision)}, {"sentence", sentence}, {"history", history}, {"parked", parked}, {"open_run", open_run},
          {"level", level}, {"pending", pending}, {"expanded_at", text_or_null(expanded_at)}, {"nodes", nodes}, {"running", running}, {"lock", lock}};
}

json::object Outcome::to_json() const {
  return {{"code", static_cast<int>(code)}, {"sentence", sentence}, {"from", from}, {"to", to}, {"parked", parked}, {"returned", returned}, {"superseded", superseded}, {"orphaned", orphaned},
          {"backup", text_or_null(backup)}, {"seconds", rounded(seconds, 1000)}, {"paused_seconds", rounded(paused_seconds, 1000)}};
}

json::object BackupInfo::to_json() const {
  return {{"id", id}, {"path", path}, {"bytes", bytes}, {"kind", kind}, {"reason", reason}, {"schema", schema}, {"engine", engine}, {"instance_id", instance_id}, {"binary", binary}, {"created_at", created_at},
          {"verified_at", text_or_null(verified_at)}, {"root_hash", root_hash}, {"tables", tables}, {"rows", rows},
          {"files", files}, {"encrypted", encrypted}, {"drilled_at", text_or_null(drilled_at)}};
}

json::object ParkedValue::to_json() const {
  return {{"id", id}, {"migration", migration}, {"table", table}, {"column", text_or_null(column)}, {"row", row}, {"state", state}, {"value", value}, {"shown", shown}, {"parked_at", parked_at}};
}

}  // namespace basalt::upgrade
