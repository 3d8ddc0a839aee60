extension Machine {
    /// A disk of a machine.
    package struct Disk: Sendable, Equatable {
        /// The file that holds it, as the description names it.
        package var file: String
        /// The format that the description gives the file, in that description's own word or URI.
        package var format: String?
        /// Its size in bytes.
        package var byteCount: UInt64?
        /// What its size is a multiple of, in bytes: descriptions in larger units round.
        package var byteCountUnit: UInt64 = 1
        /// The length of its file in bytes; nil where that is not said.
        package var fileByteCount: UInt64?
        /// What it lies behind; nil where that is not said.
        package var controller: DiskController?
        /// Its number behind the controller: IDE 0 to 3 (channel × 2 + device), SCSI target, SATA port.
        package var unit: Int?
        /// The description names it as the first that is started.
        package var isStarted: Bool

        /// How the file is compressed as a whole, in the description's own word ("gzip"); nil: not at all.
        package var compression: String?
        /// Another name that the same bytes may mean, by the description's encoding; nil where there is none.
        package var otherFile: String?
        /// The files that stand behind it, as the description names them, the nearest first.
        package var parents: [String] = []

        /// Makes a disk.
        package init(
            file: String, format: String? = nil, byteCount: UInt64? = nil, controller: DiskController? = nil,
            unit: Int? = nil, isStarted: Bool = false
        ) {
            self.file = file
            self.format = format
            self.byteCount = byteCount
            self.controller = controller
            self.unit = unit
            self.isStarted = isStarted
        }
    }
}
