// When a backup is made by itself.
#pragma once
#include "upgrade/upgrade.h"

namespace basalt::upgrade {

// "off"; "02:30" or "daily 02:30" (UTC); "6h", "90m" (a distance); "0 30 2 * * ? *" and "0 30 * * * ? *", as syncs are scheduled.
class BackupSchedule {
 public:
  explicit BackupSchedule(std::string_view text);  // Failure BadRequest with what would be right
  bool is_off() const { return kind_ == Kind::Off; }
  // `newest`: when the newest scheduled backup was made, absent when there is none; `started`: since when this process looks.
  // A moment that passed while nobody looked is made up for, but a first backup waits for its moment.
  bool is_due(std::optional<Timestamp> newest, Timestamp started, Timestamp now) const;

 private:
  enum class Kind { Off, Daily, Hourly, Distance };
  Kind kind_ = Kind::Off;
  std::chrono::minutes at_{0};  // of the day, of the hour, or the distance
};

// The job that makes them. Called every minute, on one node.
class ScheduledBackup {
 public:
  explicit ScheduledBackup(std::string_view schedule, const Clock& clock = system_clock()) : schedule_(schedule), clock_(clock), started_(clock.now()) {}
  // Makes a backup of kind "scheduled" when it is time; true when it did. After a failure it waits for an hour.
  bool run_when_due(Context&);

 private:
  BackupSchedule schedule_;
  const Clock& clock_;
  Timestamp started_;
  std::optional<Timestamp> failed_;
};

}  // namespace basalt::upgrade
