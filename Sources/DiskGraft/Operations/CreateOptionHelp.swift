public import ImageFormats
public import Storage

/// An option that the images of a format can be made with.
public struct CreateOptionHelp: Equatable, Sendable {
    /// Its key.
    public var name: String
    /// What it takes.
    public var meaning: String

    /// The options of a format, itself or by the suffix of the file that is to be made.
    public static func of(format: ImageFormat?, path: String) throws(StorageError) -> [CreateOptionHelp] {
        let format = try DiskConversion(format: format).targetFormat(for: path)
        return try ImageProbe.driver(for: format).createOptions.map {
            CreateOptionHelp(name: $0.name, meaning: $0.meaning)
        }
    }
}
