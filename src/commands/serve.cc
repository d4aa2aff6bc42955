// SPDX-License-Identifier: Apache-2.0
// spotter serve: models as a web page and a service.
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "base/allocator.h"
#include "base/error.h"
#include "base/files.h"
#include "base/parallel.h"
#include "base/stop_signal.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/flags.h"
#include "http/http_server.h"
#include "http/own_site.h"
#include "serve/model_shelf.h"
#include "serve/service.h"
#include "train/settings.h"

namespace spotter {
namespace {

struct Arguments {
  std::vector<std::string> models;
  std::string host = "127.0.0.1";
  int64_t port = 8080;
  std::string token_file;
  bool open = false;
  std::string certificate;
  std::string key;
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
  int64_t queue = 256;
  int64_t largest_batch = 64;
  double deadline = 10;
  int64_t body_megabytes = 32;
  double lame_duck = 0;
  double drain = 10;
  ComputeSettings compute;
};

std::vector<Option> ServeOptions(Arguments& a) {
  std::vector<Option> list = {
      {"host", &a.host, "the address to listen on; 0.0.0.0 is all of this machine's"},
      {"port", &a.port, "the port; 0 is any that is free", 0, 65535},
      {"token-file", &a.token_file,
       "a file with a secret that requests must bear (Authorization: Bearer SECRET); the variable SPOTTER_TOKEN does "
       "the same"},
      {"open", &a.open, "answer other machines without a token"},
      {"certificate", &a.certificate, "serve https with this certificate chain (PEM)"},
      {"key", &a.key, "the certificate's private key (PEM)"},
      {"queue", &a.queue, "requests for predictions under way at once; beyond, clients are told to come again (503)", 1,
       100000},
      {"largest-batch", &a.largest_batch, "images that a worker computes at once", 1, 1024},
      {"deadline", &a.deadline, "seconds until a request without an answer is given up (504)", 0.01, 3600},
      {"body-megabytes", &a.body_megabytes, "the longest body of a request", 1, 1024},
      {"lame-duck", &a.lame_duck,
       "seconds in which the service, told to stop, says that it is not ready and still lets clients in, so that a "
       "load "
       "balancer can see it",
       0, 3600},
      {"drain", &a.drain, "seconds that requests under way get to end, once the service is told to stop", 0, 3600}};
  for (Option& option : ComputeOptions(a.compute)) list.push_back(std::move(option));
  return list;
}

std::string ReadToken(const Arguments& a) {
  constexpr size_t kShortest = 16;
  const char* variable = std::getenv("SPOTTER_TOKEN");
  std::string token = variable == nullptr ? "" : variable;
  if (!a.token_file.empty()) token = ReadFile(a.token_file);
  token = Trim(token);
  if (token.empty() && a.token_file.empty()) return "";
  const bool printable = std::all_of(token.begin(), token.end(), [](unsigned char c) { return c > ' ' && c < 127; });
  if (token.size() < kShortest || !printable)
    Fail(ExitCode::kUsage,
         "the token {} is no secret of at least {} printable characters; `openssl rand -hex 16` makes one",
         a.token_file.empty() ? "in SPOTTER_TOKEN" : "in '" + a.token_file + "'", kShortest);
  return token;
}

/// As many clients as the system's files allow, at most a few thousand.
size_t MostConnections() {
  constexpr rlim_t kMost = 8192, kOwnFiles = 64;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::max(files.rlim_cur, std::min(files.rlim_max, kMost + kOwnFiles));
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::getrlimit(RLIMIT_NOFILE, &files);
  return static_cast<size_t>(std::min(kMost, files.rlim_cur > 2 * kOwnFiles ? files.rlim_cur - kOwnFiles : kOwnFiles));
}

HttpOptions ToHttpOptions(const Arguments& a) {
  HttpOptions options{.address = a.host,
                      .port = static_cast<int>(a.port),
                      .limits = {},
                      .certificate = a.certificate,
                      .key = a.key,
                      .hosts = a.hosts,
                      .origins = a.origins};
  options.limits.connections = MostConnections();
  options.limits.body_bytes = static_cast<uint64_t>(a.body_megabytes) << 20;
  return options;
}

void Say(const std::string& line) { std::fprintf(stderr, "%s\n", Printable(line).c_str()); }

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(1000 * seconds));
}

/// Returns when a signal has come, and what was under way then has ended.
void Wait(HttpServer& server, PredictionService& service, const Arguments& a) {
  while (!StopRequested()) {
    if (ReloadRequested()) service.Reload(Say);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  service.SetDraining();
  if (a.lame_duck > 0) {
    Say(fmt::format("ending: not ready from now on, and answering for another {} s", a.lame_duck));
    std::this_thread::sleep_for(Milliseconds(a.lame_duck));
  }
  Say("ending: no new clients; what is under way gets its answer");
  const bool all = server.Drain(Milliseconds(a.drain));
  if (!all) service.Abandon();
  if (!service.Stop()) {
    Say("ended without a worker that did not come back from its work");
    std::_Exit(static_cast<int>(ExitCode::kInternal));
  }
  Say(all ? "ended" : fmt::format("ended with {} clients still connected", server.connections()));
}

int Run(const Arguments& a) {
  CatchReloadSignal();  // from the beginning: by itself it would end the program
  const std::string token = ReadToken(a);
  if (a.certificate.empty() != a.key.empty())
    Fail(ExitCode::kUsage, "--certificate and --key belong together; give both");
  if (token.empty() && !a.open && IsIpAddress(a.host) && !IsLoopback(a.host))
    Fail(ExitCode::kUsage,
         "on {} other machines can use the service: give it a token (--token-file FILE), or say that they may (--open)",
         a.host);
  ReturnUnusedMemory();
  const int workers = a.compute.threads > 0 ? static_cast<int>(a.compute.threads) : AvailableCores();
  ComputeSettings each = a.compute;
  each.threads = 1;
  ModelShelf shelf(ParseModelSources(a.models), PrepareCompute(each), workers);
  ServiceSettings settings;
  settings.workers = workers;
  settings.open_requests = static_cast<size_t>(a.queue);
  settings.largest_batch = static_cast<size_t>(a.largest_batch);
  settings.deadline = Milliseconds(a.deadline);
  settings.token = token;
  settings.longest_body = static_cast<uint64_t>(a.body_megabytes) << 20;
  PredictionService service(shelf, settings);
  CatchStopSignals();
  HttpServer server(ToHttpOptions(a), service);
  service.SetServer(&server);
  std::vector<std::string> names;
  for (const auto& model : shelf.all()) names.push_back(model->name());
  std::printf("%s answers at %s%s\n", Join(names, ", ").c_str(), server.url().c_str(),
              token.empty() || ::isatty(STDOUT_FILENO) == 0 ? "" : ("#token=" + token).c_str());  // not into logs
  std::fflush(stdout);
  Wait(server, service, a);
  service.SetServer(nullptr);
  return 0;
}

}  // namespace

Command ServeCommand() {
  return {
      "serve", "Put models on a web page and behind an API",
      "  spotter serve runs/cifar10-speed-1\n"
      "  spotter serve pets=runs/pets-3 flowers=flowers.safetensors --port 9000\n"
      "  spotter serve runs/pets-3 --host 0.0.0.0 --token-file secret.txt\n"
      "  kill -HUP PID     # loads the models' files anew, without losing a request",
      [](CLI::App& app) {
        auto a = std::make_shared<Arguments>();
        app.add_option(
               "models", a->models,
               "runs' folders or model files, each as NAME=MODEL or as it is; the first answers where none is named")
            ->required();
        app.add_option("--allow-host", a->hosts, "a name that the service goes by, behind a proxy; may be given again")
            ->type_name("NAME");
        app.add_option("--allow-origin", a->origins,
                       "a site whose pages may use the service (https://example.org); may be given again")
            ->type_name("ORIGIN");
        const auto given = AddFlags(app, ServeOptions(*a));
        return [a, given] {
          ApplyFlags(*given, ServeOptions(*a));
          return Run(*a);
        };
      }};
}

}  // namespace spotter
