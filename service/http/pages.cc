#include "http/pages.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "http/metrics_page.h"
#include "http/statusz/statusz.h"

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

statusz::Phase PhaseOf(const Rooms& rooms) {
  if (rooms.server.is_draining()) return statusz::Phase::kStopping;
  if (!rooms.store.is_schema_suitable()) return statusz::Phase::kSchemaUnfit;
  return statusz::Phase::kServing;
}

Answer Status(std::string page) {
  return {.content_type = "text/html; charset=utf-8", .body = std::move(page)};
}

}  // namespace

absl::string_view WhyNotReady(const Rooms& rooms) {
  if (rooms.server.is_draining()) return "draining";
  if (!rooms.store.is_schema_suitable()) return "the database's schema does not fit";
  return "";
}

Pages PagesOf(const Program& program, const Rooms& rooms) {
  const auto status = std::make_shared<statusz::Statusz>(statusz::Statusz::Sources{
      .numbers = [program, rooms] { return AllNumbers(program, rooms).Families(); },
      .phase = [rooms] { return PhaseOf(rooms); }});
  return {{"/livez", Live},
          {"/metrics", [program, rooms] { return Metrics(AllNumbers(program, rooms)); }},
          {"/readyz", [rooms] { return Ready(rooms); }},
          {"/statusz", [status] { return Status(status->Page()); }}};
}

Pages PagesOutOfService(const Program& program, statusz::Phase phase) {
  const char* const why = phase == statusz::Phase::kStarting ? "starting" : "stopping";
  return {{"/livez", Live},
          {"/metrics", [program] { return Metrics(AllNumbers(program)); }},
          {"/readyz", [why] { return NotReady(why); }},
          {"/statusz", [program, phase] {
             return Status(statusz::PageOutOfService(AllNumbers(program).Families(), phase));
           }}};
}

}  // namespace content::http
