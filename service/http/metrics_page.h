#pragma once

#include "http/listener.h"
#include "http/pages.h"

namespace content::http {

/// All numbers, as Prometheus reads them. A new one is a member of its room, and a line in one of
/// the functions of metrics_page.cc.
Answer Metrics(const Program& program, const Rooms& rooms);

/// Those of a process that does not serve.
Answer Metrics(const Program& program);

}  // namespace content::http
