// What verification rests on: by itself in a file, so that the tests can link a build that is blind.
#include "upgrade/fingerprint.h"

namespace basalt::upgrade {

bool Fingerprint::operator==(const Fingerprint& other) const { return rows == other.rows && first == other.first && second == other.second; }

}  // namespace basalt::upgrade
