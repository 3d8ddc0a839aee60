package import Storage

/// How an image is to be opened.
package struct ImageOpenOptions: Sendable {
    /// Whether it may be changed.
    package var access: FileAccess
    /// Where the image and the files that it names are found.
    package var files: any ByteFileStore
    /// Which other files may be opened.
    package var references: ReferencePolicy
    /// Which of a VHD's two sizes is the disk's.
    package var vhdSize: VHDSizeRule
    /// Whether tables and files that end too early are taken as far as they go: what they cannot tell is an error when it is
    /// read. For reading alone.
    package var isSalvage: Bool
    /// Whether a change may end a VMDK's changed block tracking, which it would make wrong; without that it is refused.
    package var dropsChangeTracking = false
    /// Makes options.
    package init(
        files: any ByteFileStore, access: FileAccess = .read, references: ReferencePolicy = .refuse,
        vhdSize: VHDSizeRule = .byCreator, isSalvage: Bool = false
    ) {
        self.files = files
        self.isSalvage = isSalvage
        self.access = access
        self.references = references
        self.vhdSize = vhdSize
    }

    /// `file` as a map looks into it whose units are of `unit` bytes: to salvage it, one that its end may cut.
    func mapped(_ file: any ByteFile, unit: UInt64) -> any ByteFile {
        isSalvage ? CutOffFile(file, missing: unit) : file
    }
}

/// An image that was opened: the guest's disk and what the image says of itself.
package struct OpenedImage: Sendable {
    /// The disk. It can be written when it was opened for writing.
    package var disk: Image
    /// What the image says of itself.
    package var info: ImageInfo
    /// Makes a pair.
    package init(disk: Image, info: ImageInfo) {
        self.disk = disk
        self.info = info
    }
}

/// Options of `create`, by qemu-img's names.
package struct ImageCreateOptions: Sendable {
    /// Where the image is made, and where its parents are found.
    package var files: any ByteFileStore
    /// The options, in the order given.
    package var values: [(key: String, value: String)]
    /// The guest's logical sector size in bytes.
    package var sectorSize: UInt32
    /// The path of the disk that the new image is to be a child of, in the formats that have children.
    package var parent: String?
    /// The parent's format; nil: by probing.
    package var parentFormat: ImageFormat?
    /// What a format that stores the parent's path is to store; nil: the way from the new image to the parent.
    package var parentName: String?
    /// Whether the parent is to be named without being looked at.
    package var trustsParent = false
    /// Where the image will stand once it is complete, when it is made elsewhere: the way to the parent begins there.
    package var finalPath: String?
    /// Makes options.
    package init(
        files: any ByteFileStore, values: [(key: String, value: String)] = [], sectorSize: UInt32 = 512,
        parent: String? = nil, finalPath: String? = nil
    ) {
        self.files = files
        self.values = values
        self.sectorSize = sectorSize
        self.parent = parent
        self.finalPath = finalPath
    }

    /// Throws `misuse` naming the first key that is not in `known`.
    package func check(known: [String], format: ImageFormat) throws(StorageError) {
        for (key, _) in values where !known.contains(key) {
            throw StorageError(
                .misuse, ImageCode.unknownOption,
                known.isEmpty
                    ? "has no option \"\(key)\""
                    : "has no option \"\(key)\"; it has \(known.joined(separator: ", "))",
                layerName: format.rawValue)
        }
    }

    /// The last value given for `key`.
    package func value(_ key: String) -> String? { values.last { $0.key == key }?.value }
}

/// A format: how it is recognised, opened and made.
package protocol ImageDriver: SendableMetatype {
    /// Its name.
    static var format: ImageFormat { get }

    /// Whether `create` works.
    static var canCreate: Bool { get }

    /// Whether `create` makes children of a parent (`ImageCreateOptions.parent`).
    static var makesChildren: Bool { get }

    /// The sizes of the guest's logical sectors that it can hold; 512 is among them.
    static var sectorSizes: [UInt32] { get }

    /// What a disk's size is a multiple of, in bytes.
    static var sizeUnit: UInt64 { get }

    /// What `repair` can mend.
    static var repairs: [Finding.Repair] { get }

    /// Whether a file is of this format. Looks at `head` (the first up to 64 KiB), `tail` (the last up to 1536
    /// bytes) and the length; opens nothing, allocates nothing to speak of.
    static func recognises(head: [UInt8], tail: [UInt8], byteCount: UInt64) -> Bool

    /// Opens `file`, which is of this format by probing or by the caller's word. Writes nothing.
    static func open(_ file: any ByteFile, options: ImageOpenOptions) throws(StorageError) -> OpenedImage

    /// What the image says of itself, also of images that `open` refuses (another file would be needed, a feature
    /// is not built). Opens no other file, reads bounded bytes.
    static func describe(_ file: any ByteFile) throws(StorageError) -> ImageInfo

    /// Looks at all tables of an image and reports everything that is wrong with them. Reads only, opens no other
    /// file; throws when it could not look.
    static func check(_ file: any ByteFile, report: (Finding) -> Void) throws(StorageError)

    /// The names of files beside `file` that are part of the image and have tables of their own, which `check` of `file` does
    /// not look at.
    static func pieces(of file: any ByteFile) throws(StorageError) -> [[UInt8]]

    /// Makes one of `repairs`, and says what was done, a sentence each; empty when there was nothing to do. `file` is
    /// open for writing. Throws `refused` for an image that is damaged otherwise.
    static func repair(_ repair: Finding.Repair, _ file: any ByteFile) throws(StorageError) -> [String]

    /// Makes an empty (all zeros) image of `byteCount` guest bytes at `path`, which must not exist, and opens it
    /// for writing. Files other than `path` that the format needs are named after it. Nothing but the caller's
    /// `flush` makes it complete.
    static func create(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> OpenedImage

    /// Makes the guest's disk longer: `byteCount` is whole sectors and more than it has. `image` was opened for
    /// writing by this driver and shows the old disk still; open it again. What can refuse does so before the first
    /// write, and the writes come in the format's safe order. Call by way of `ImageProbe.grow`.
    static func grow(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError)

    /// Whether `shrink` is built.
    static var canShrink: Bool { get }

    /// Makes the guest's disk shorter: what is behind `byteCount`, whole sectors and less than it has, reads as zeros or does
    /// not matter. Otherwise as `grow`. Call by way of `ImageProbe.shrink`.
    static func shrink(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError)

    /// The options of `create`, in the order to show them.
    static var createOptions: [ImageCreateOption] { get }

    /// How large a file of this format becomes that is made with `options` and holds `disk`, or an empty disk of
    /// `byteCount` bytes.
    static func measure(
        _ disk: (any BlockDevice)?, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> ImageMeasure

    /// Whether the image in `other` has the one in `file` behind it, by what it holds of it.
    static func isChild(_ other: any ByteFile, of file: any ByteFile) -> Bool

    /// The further files `create` makes for `path` and a disk of `byteCount` bytes (a VMDK's extents).
    static func companions(of path: String, byteCount: UInt64, options: ImageCreateOptions) -> [String]

    /// Whether a child stores its parent's path in the caller's words; else it knows it by an identifier.
    static var storesParentPath: Bool { get }

    /// A writer of the image that the options ask for, where it is made of encoded units in one go (a VMDK stream); nil:
    /// `create` makes it. The file is made as by `create`.
    static func encodedWriter(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> (any EncodedImageWriter)?
}

extension ImageDriver {
    package static var canCreate: Bool { format.isMade }
    package static var makesChildren: Bool { false }
    package static var sectorSizes: [UInt32] { [512] }
    package static var sizeUnit: UInt64 { 512 }
    package static var repairs: [Finding.Repair] { [] }

    package static func describe(_ file: any ByteFile) throws(StorageError) -> ImageInfo {
        try open(file, options: ImageOpenOptions(files: NoOtherFiles())).info
    }

    package static func check(
        _ file: any ByteFile, report: (Finding) -> Void
    ) throws(StorageError) {
        do throws(StorageError) {
            _ = try describe(file)
        } catch {
            guard error.kind == .corrupt else { throw error }
            report(Finding(error))
        }
    }

    package static func pieces(of file: any ByteFile) throws(StorageError) -> [[UInt8]] { [] }

    package static func repair(
        _ repair: Finding.Repair, _ file: any ByteFile
    ) throws(StorageError) -> [String] { [] }

    package static var canShrink: Bool { false }

    /// Whoever calls has asked `canShrink`.
    package static func shrink(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {}

    package static func measure(
        _ disk: (any BlockDevice)?, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> ImageMeasure {
        throw StorageError(
            .unsupported, MeasureCode.notInThisFormat,
            "the size of a file of this format is not worked out here; of qcow2 and raw it is",
            layerName: format.rawValue)
    }

    package static func companions(
        of path: String, byteCount: UInt64, options: ImageCreateOptions
    ) -> [String] { [] }

    package static var storesParentPath: Bool { false }

    package static func encodedWriter(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> (any EncodedImageWriter)? { nil }
}

extension Finding.Repair {
    /// Space in an image that nothing refers to is given back.
    package static let leaks = Finding.Repair("leaks")
}
