// One maker per kind of database; Drivers (driver.h) calls them all.
#pragma once
#include "drivers/driver.h"

namespace basalt::drivers {

std::unique_ptr<Driver> make_duckdb(const DriverOptions& options);
std::unique_ptr<Driver> make_mysql();
std::unique_ptr<Driver> make_postgres();
std::unique_ptr<Driver> make_sqlite();

}  // namespace basalt::drivers
