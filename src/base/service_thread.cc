// SPDX-License-Identifier: Apache-2.0
#include "base/service_thread.h"

#include <pthread.h>

#include <csignal>
#include <utility>

namespace spotter {

std::thread ServiceThread(const std::string& name, std::function<void()> body) {
  struct SignalsBlocked {  // a thread inherits it; the one that starts it gets them back
    SignalsBlocked() {
      sigset_t all;
      sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, &old);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &old, nullptr); }
    sigset_t old;
  };
  const SignalsBlocked blocked;
  return std::thread([name, body = std::move(body)] {
    ::pthread_setname_np(::pthread_self(), name.c_str());
    body();
  });
}

}  // namespace spotter
