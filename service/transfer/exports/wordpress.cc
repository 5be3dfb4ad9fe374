#include "transfer/exports/wordpress.h"

namespace content::transfer {

bool BeginsLikeWordPress(absl::string_view /*head*/) { return false; }
absl::Status ReadWordPress(ExportFile& /*file*/, ExportSink& /*sink*/) { return absl::OkStatus(); }

}  // namespace content::transfer
