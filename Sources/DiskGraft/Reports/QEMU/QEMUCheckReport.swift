internal import ImageFormats
public import Storage

/// What a check found in one image, as `qemu-img check --output=json` prints it.
public struct QEMUCheckReport: Encodable, Sendable {
    /// The image's path.
    public var filename: String
    /// qemu's name of the format.
    public var format: String
    /// What kept parts of the image from being checked.
    public var checkErrors: Int
    /// Where the last byte in use lies.
    public var imageEndOffset: UInt64?
    /// Clusters and entries that are damaged; nil for none.
    public var corruptions: Int?
    /// Clusters that leak; nil for none.
    public var leaks: Int?
    /// Units of the disk: clusters, blocks or grains.
    public var totalClusters: UInt64?
    /// Those that have a place in the file.
    public var allocatedClusters: UInt64?
    /// Those that do not follow the one before.
    public var fragmentedClusters: UInt64?
    /// Those that are compressed.
    public var compressedClusters: UInt64?

    private enum CodingKeys: String, CodingKey {
        case filename, format, corruptions, leaks
        case checkErrors = "check-errors"
        case imageEndOffset = "image-end-offset"
        case totalClusters = "total-clusters"
        case allocatedClusters = "allocated-clusters"
        case fragmentedClusters = "fragmented-clusters"
        case compressedClusters = "compressed-clusters"
    }

    /// The totals of the image at `path`, which `check` has looked at.
    public init(
        _ path: String, _ check: GuestCheck, options: ImageOptions = ImageOptions()
    ) throws(StorageError) {
        let request = try DiskSources.one(path, options).requests[0]
        let (path, options) = (request.path, request.options)
        let own = check.findings.filter { $0.image.hostBytes == path.hostBytes }
        func count(_ severity: Severity) -> Int? {
            let count = own.filter { $0.finding.severity == severity }.reduce(UInt64(0)) {
                $0.addingReportingOverflow($1.finding.count).partialValue
            }
            return count == 0 ? nil : Int(clamping: count)
        }
        filename = path
        checkErrors = own.count { $0.finding.isOfBounds && $0.finding.severity == .warning }
        corruptions = count(.damage)
        leaks = count(.leak)
        let info = try ImageProbe.describe(
            try options.hostFiles.open(path, access: .read), format: options.format)
        format = info.format.qemuName
        imageEndOffset = info.unitSize.flatMap { info.fileSize.roundedUp(to: $0) }
        let image: DiskImage
        do throws(StorageError) {
            image = try DiskImage.open(path, options: options)
        } catch {
            guard !error.isCancellation else { throw error }
            checkErrors += 1
            return
        }
        let found: ImageTotals?
        do throws(StorageError) {
            found = try ImageTotals(image.opened)
        } catch {
            guard !error.isCancellation else { throw error }
            checkErrors += 1
            return
        }
        guard let totals = found else { return }
        totalClusters = totals.total
        allocatedClusters = totals.allocated
        fragmentedClusters = totals.fragmented == 0 ? nil : totals.fragmented
        compressedClusters = totals.compressed == 0 ? nil : totals.compressed
    }
}
