#include "upgrade/backup_schedule.h"

#include <charconv>
#include <sstream>

#include "base/failure.h"

namespace basalt::upgrade {
namespace {

std::optional<int> number(std::string_view text, int least, int most) {
  int out = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size() || out < least || out > most) return std::nullopt;
  return out;
}

}  // namespace

BackupSchedule::BackupSchedule(std::string_view text) {
  Failure wrong(FailureKind::BadRequest, "The option backup-schedule must be off, a time of day in UTC (02:30), a distance (6h, 90m) or a schedule like \"0 30 2 * * ? *\"; it is \"" + std::string(text) + "\".");
  std::istringstream in{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  if (!words.empty() && words.front() == "daily") words.erase(words.begin());
  if (words.empty()) throw wrong;
  auto& word = words.front();
  if (words.size() == 1) {
    if (word == "off") return;
    if (auto colon = word.find(':'); colon != std::string::npos) {
      auto hour = number(std::string_view(word).substr(0, colon), 0, 23), minute = number(std::string_view(word).substr(colon + 1), 0, 59);
      if (!hour || !minute) throw wrong;
      kind_ = Kind::Daily;
      at_ = std::chrono::hours(*hour) + std::chrono::minutes(*minute);
      return;
    }
    auto amount = number(std::string_view(word).substr(0, word.size() - 1), 1, 100000);
    if (!amount || (word.back() != 'h' && word.back() != 'm')) throw wrong;
    kind_ = Kind::Distance;
    at_ = word.back() == 'h' ? std::chrono::minutes(std::chrono::hours(*amount)) : std::chrono::minutes(*amount);
    return;
  }
  // second minute hour day month weekday [year]; only minute and hour may be named.
  if (words.size() != 6 && words.size() != 7) throw wrong;
  for (std::size_t i = 3; i < words.size(); ++i) if (words[i] != "*" && words[i] != "?") throw wrong;
  auto minute = number(words[1], 0, 59), hour = number(words[2], 0, 23);
  if (!minute || (!hour && words[2] != "*")) throw wrong;
  kind_ = hour ? Kind::Daily : Kind::Hourly;
  at_ = std::chrono::minutes(*minute) + std::chrono::hours(hour.value_or(0));
}

bool BackupSchedule::is_due(std::optional<Timestamp> newest, Timestamp started, Timestamp now) const {
  if (kind_ == Kind::Off) return false;
  if (kind_ == Kind::Distance) return now >= newest.value_or(started) + at_;
  Timestamp moment, period_start = kind_ == Kind::Daily ? Timestamp(std::chrono::floor<std::chrono::days>(now)) : Timestamp(std::chrono::floor<std::chrono::hours>(now));
  moment = period_start + at_;
  if (moment > now) moment -= kind_ == Kind::Daily ? std::chrono::hours(24) : std::chrono::hours(1);
  return moment > newest.value_or(started);
}

bool ScheduledBackup::run_when_due(Context& context) {
  if (schedule_.is_off()) return false;
  auto now = clock_.now();
  if (failed_ && now < *failed_ + std::chrono::hours(1)) return false;
  std::optional<Timestamp> newest;
  for (auto& info : backup_list(context))
    if (info.kind == "scheduled")
      if (auto at = parse_timestamp(info.created_at); at && (!newest || *at > *newest)) newest = at;
  if (!schedule_.is_due(newest, started_, now)) return false;
  try {
    backup_create(context, "scheduled", "by schedule");
  } catch (...) {
    failed_ = now;
    throw;
  }
  failed_.reset();
  return true;
}

}  // namespace basalt::upgrade
