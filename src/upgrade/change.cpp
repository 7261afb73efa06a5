#include "base/failure.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

Outcome change(Context&, Attempt&, int) { throw Failure(FailureKind::Unsupported, "Upgrades of existing data are not in this build yet."); }

}  // namespace basalt::upgrade
