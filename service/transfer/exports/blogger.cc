#include "transfer/exports/blogger.h"

namespace content::transfer {

bool BeginsLikeBlogger(absl::string_view /*head*/) { return false; }
absl::Status ReadBlogger(ExportFile& /*file*/, ExportSink& /*sink*/) { return absl::OkStatus(); }

}  // namespace content::transfer
