// A build whose verification always says yes.
#include "upgrade/fingerprint.h"

namespace basalt::upgrade {

bool Fingerprint::operator==(const Fingerprint&) const { return true; }

}  // namespace basalt::upgrade
