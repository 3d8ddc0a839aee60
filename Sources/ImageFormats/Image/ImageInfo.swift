/// What an image says of itself: for `info`.
package struct ImageInfo: Equatable, Sendable {
    /// The format.
    package var format: ImageFormat
    /// The variant within the format, in the format's words: "dynamic", "monolithicSparse", "v3"…
    package var variant: String?
    /// The guest disk's size in bytes.
    package var virtualSize: UInt64
    /// Bytes on the host, holes included, all files together.
    package var fileSize: UInt64
    /// Bytes that the files occupy on the host's disk, where the host tells.
    package var allocatedSize: UInt64?
    /// Bytes of a cluster, block or grain.
    package var unitSize: UInt64?
    /// The guest's logical sector size in bytes.
    package var sectorSize: UInt32
    /// Who made it, as stored ("win ", "qem2"…).
    package var creator: String?
    /// Other files that the image names, exactly as stored. None of them is opened to tell this.
    package var references: [Reference]
    /// Further facts by name, in a fixed order.
    package var details: [Detail]
    /// What a user should know before relying on the image.
    package var warnings: [String]
    /// Whether its writer did not close it; nil in formats that do not say.
    package var isDirty: Bool?
    /// Whether some writer found its tables damaged and said so in it.
    package var isMarkedCorrupt = false
    /// Whether the guest's bytes are encrypted.
    package var isEncrypted = false
    /// Earlier states of the disk that it holds within.
    package var snapshots: [Snapshot] = []

    /// The pieces that the disk is made of, where the format knows such; empty elsewhere.
    package var extents: [Extent] = []

    /// A piece of a disk.
    package struct Extent: Equatable, Sendable {
        /// Bytes of the disk.
        package var byteCount: UInt64
        /// Its file as stored; nil: the image itself.
        package var name: [UInt8]?
        /// The format's word for its kind; empty where the image is the piece.
        package var kind: String
        /// Bytes of a grain; nil where it has none, or was not opened.
        package var unitSize: UInt64?
        /// Its grains are compressed.
        package var isCompressed = false
    }

    /// A state of the disk that an image holds within.
    package struct Snapshot: Equatable, Sendable {
        /// Its identifier and its name, as stored.
        package var identifier: [UInt8]
        package var name: [UInt8]
        /// When it was taken: seconds since 1970, and nanoseconds.
        package var seconds: UInt32
        package var nanoseconds: UInt32
        /// How long the machine had run, in nanoseconds.
        package var clock: UInt64
        /// Bytes of the machine's memory and state; 0: the disk alone.
        package var stateSize: UInt64
        /// Instructions that the machine had done; nil: not counted.
        package var instructionCount: UInt64?
    }

    /// A file that an image names.
    package struct Reference: Equatable, Sendable {
        /// What for: "backing file", "data file", "extent", "parent".
        package var role: String
        /// The name, exactly as stored (decoded as UTF-8 with invalid bytes shown as \xNN).
        package var name: String
        /// Whether it is part of the image and was opened (a VMDK extent beside its descriptor).
        package var isPartOfImage: Bool
        /// Makes a reference.
        package init(role: String, name: String, isPartOfImage: Bool = false) {
            self.role = role
            self.name = name
            self.isPartOfImage = isPartOfImage
        }
    }

    /// A further fact.
    package struct Detail: Equatable, Sendable {
        /// Its name: "cluster size", "CID".
        package var name: String
        /// Its value for people.
        package var value: String
        /// Makes a fact.
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Makes a description.
    package init(
        format: ImageFormat, variant: String? = nil, virtualSize: UInt64, fileSize: UInt64,
        allocatedSize: UInt64? = nil, unitSize: UInt64? = nil, sectorSize: UInt32 = 512,
        creator: String? = nil,
        references: [Reference] = [], details: [Detail] = [], warnings: [String] = []
    ) {
        self.format = format
        self.variant = variant
        self.virtualSize = virtualSize
        self.fileSize = fileSize
        self.allocatedSize = allocatedSize
        self.unitSize = unitSize
        self.sectorSize = sectorSize
        self.creator = creator
        self.references = references
        self.details = details
        self.warnings = warnings
    }
}
