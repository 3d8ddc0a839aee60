internal import Storage

/// How large an image becomes.
package struct ImageMeasure: Equatable, Sendable {
    /// Bytes of the file that holds the disk as it is.
    package var required: UInt64
    /// And when every byte of the disk has been written.
    package var fullyAllocated: UInt64

    /// Makes a pair.
    package init(required: UInt64, fullyAllocated: UInt64) {
        self.required = required
        self.fullyAllocated = fullyAllocated
    }
}

/// Why a size is not worked out.
enum MeasureCode: String, LayerCode, CaseIterable {
    static let layer = "image"

    case notInThisFormat = "measure-not-built"
}

/// An option of `create`.
package struct ImageCreateOption: Equatable, Sendable {
    /// Its key, as qemu-img has it where it has one.
    package var name: String
    /// What it takes, and what for.
    package var meaning: String

    /// Makes an option.
    package init(_ name: String, _ meaning: String) {
        self.name = name
        self.meaning = meaning
    }
}
