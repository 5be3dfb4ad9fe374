#include "http/pages.h"

#include "absl/strings/str_cat.h"
#include "http/metrics_page.h"

namespace content::http {
namespace {

Answer Live() { return {.body = "alive\n"}; }

Answer NotReady(absl::string_view why) {
  return {.status = 503, .body = absl::StrCat("not ready: ", why, "\n")};
}

Answer Ready(const Rooms& rooms) {
  const absl::string_view why = WhyNotReady(rooms);
  return why.empty() ? Answer{.body = "ready\n"} : NotReady(why);
}

}  // namespace

absl::string_view WhyNotReady(const Rooms& rooms) {
  if (rooms.server.is_draining()) return "draining";
  if (!rooms.store.is_schema_suitable()) return "the database's schema does not fit";
  return "";
}

Pages PagesOf(const Program& program, const Rooms& rooms) {
  return {{"/livez", Live},
          {"/metrics", [program, rooms] { return Metrics(program, rooms); }},
          {"/readyz", [rooms] { return Ready(rooms); }}};
}

Pages PagesOutOfService(const Program& program, absl::string_view why) {
  return {{"/livez", Live},
          {"/metrics", [program] { return Metrics(program); }},
          {"/readyz", [why = std::string(why)] { return NotReady(why); }}};
}

}  // namespace content::http
