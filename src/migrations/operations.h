#pragma once
#include "base/json.h"
namespace basalt::migrations {
struct Operation {};
}
