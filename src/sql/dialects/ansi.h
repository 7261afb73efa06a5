// What most engines share. A dialect starts from this and overwrites where it differs.
#pragma once
#include "sql/dialect.h"

namespace basalt::sql {

class Ansi : public Dialect {
 public:
  Ansi();
};

}  // namespace basalt::sql
