#include "drivers/all.h"

#include "base/failure.h"

namespace basalt::drivers {

Drivers::Drivers(const DriverOptions& options) {
  // Sorted by name.
  drivers_.push_back(make_duckdb(options));
  drivers_.push_back(make_mysql());
  drivers_.push_back(make_postgres());
  drivers_.push_back(make_sqlite());
}

Drivers::~Drivers() = default;

const Driver* Drivers::find(std::string_view engine) const {
  for (auto& driver : drivers_) {
    if (driver->name() == engine) return driver.get();
  }
  return nullptr;
}

const Driver& Drivers::require(std::string_view engine) const {
  if (auto* driver = find(engine)) return *driver;
  std::string known;
  for (auto& driver : drivers_) known += (known.empty() ? "" : ", ") + std::string(driver->name());
  throw Failure(FailureKind::BadRequest, "There is no driver for \"" + std::string(engine) + "\". Known engines: " + known + ".")
      .with_field("engine", "value must be one of: " + known + ".");
}

}  // namespace basalt::drivers
