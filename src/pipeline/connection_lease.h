// A connection of a data source, borrowed for one query.
#pragma once
#include <memory>

#include "drivers/driver.h"

namespace basalt::pipeline {

class ConnectionLease {
 public:
  virtual ~ConnectionLease() = default;  // gives it back to its pool, or closes it when broken
  virtual drivers::Connection& connection() = 0;
  virtual const drivers::Driver& driver() = 0;
  virtual void mark_broken() = 0;        // do not reuse
};

}  // namespace basalt::pipeline
