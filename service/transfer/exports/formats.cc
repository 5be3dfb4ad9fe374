#include "transfer/exports/formats.h"

#include <algorithm>

#include "transfer/exports/blogger.h"
#include "transfer/exports/commento.h"
#include "transfer/exports/devto.h"
#include "transfer/exports/disqus.h"
#include "transfer/exports/ghost.h"
#include "transfer/exports/isso.h"
#include "transfer/exports/movable_type.h"
#include "transfer/exports/ndjson.h"
#include "transfer/exports/remark42.h"
#include "transfer/exports/wordpress.h"

namespace content::transfer {

const std::vector<ExportFormat>& ExportFormats() {
  static const std::vector<ExportFormat> formats = {
      {"ndjson", BeginsLikeNdjson, ReadNdjson},
      {"wordpress", BeginsLikeWordPress, ReadWordPress},
      {"blogger", BeginsLikeBlogger, ReadBlogger},
      {"disqus", BeginsLikeDisqus, ReadDisqus},
      {"ghost", BeginsLikeGhost, ReadGhost},
      {"commento", BeginsLikeCommento, ReadCommento},
      {"isso", BeginsLikeIsso, ReadIsso},
      {"remark42", BeginsLikeRemark42, ReadRemark42},
      {"movable-type", BeginsLikeMovableType, ReadMovableType},
      {"devto", BeginsLikeDevto, ReadDevto},
  };
  return formats;
}

const ExportFormat* RecognizeExport(absl::string_view head) {
  const auto& formats = ExportFormats();
  const auto format = std::find_if(formats.begin(), formats.end(), [head](const auto& candidate) {
    return candidate.begins(head);
  });
  return format == formats.end() ? nullptr : &*format;
}

}  // namespace content::transfer
