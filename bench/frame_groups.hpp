// Durable groups of the frame log on a real disk: what they take, and what the note beside the log adds.
#pragma once

namespace meridian::bench {

// In a folder of the working directory, which is removed.
void run_groups();

}  // namespace meridian::bench
