// The web app inside the binary: files packed at build time, served with their best encoding.
#pragma once
#include <string_view>

#include "http/request.h"

namespace basalt::startup {

// Answers any path outside /api: the file, or the app's page for the app's own addresses. Files under /assets carry a hash in
// their name and are cached for a year; the page itself is always asked for again (304 by its tag).
http::Response web_app_answer(const http::Request& request);

// The start-up page shown while the application database migrates: one file without further requests. Empty when the web app
// was not built into this binary.
std::string startup_page();
bool has_web_app();

}  // namespace basalt::startup
