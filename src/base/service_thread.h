// SPDX-License-Identifier: Apache-2.0
// Threads that live beside the main one.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace spotter {

/// A thread that takes no signals, so that Ctrl-C reaches the main thread, and that `top -H` shows by its name (at most
/// 15 characters).
std::thread ServiceThread(const std::string& name, std::function<void()> body);

}  // namespace spotter
