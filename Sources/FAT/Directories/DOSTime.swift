internal import Storage

/// Times as FAT keeps them: local time without a zone, which is taken for UTC here; two seconds apart, from 1980 to 2107.
enum DOSTime {
    private static let earliest: Int64 = 315_532_800
    private static let latest: Int64 = 4_354_819_198

    /// From a date and a time; nil for a date that is none, as of a file that was never given one.
    static func timestamp(date: UInt16, time: UInt16, tenths: UInt8 = 0) -> Timestamp? {
        let (year, month, day) = (Int64(date >> 9) + 1980, Int64(date >> 5 & 15), Int64(date & 31))
        guard (1...12).contains(month), day >= 1 else { return nil }
        let seconds = Int64(time >> 11) * 3600 + Int64(time >> 5 & 63) * 60 + Int64(time & 31) * 2
        let hundredths = Int64(min(tenths, 199))
        return Timestamp(
            seconds: days(year, month, day) * 86400 + seconds + hundredths / 100,
            nanoseconds: UInt32(hundredths % 100) * 10_000_000)
    }

    /// Date, time to two seconds, and the hundredths of a second that are left. Times that cannot be said become the
    /// nearest that can.
    static func fields(_ time: Timestamp) -> (date: UInt16, time: UInt16, tenths: UInt8) {
        let seconds = min(max(time.seconds, earliest), latest)
        let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86400)
        let (year, month, day) = civil(days)
        let date = UInt16((year - 1980) << 9 | month << 5 | day)
        let clock = UInt16((rest / 3600) << 11 | (rest / 60 % 60) << 5 | (rest % 60) / 2)
        let hundredths = seconds == time.seconds ? time.nanoseconds / 10_000_000 : 0
        return (date, clock, UInt8(clamping: (rest % 2) * 100 + Int64(min(hundredths, 99))))
    }

    /// Days from 1970-01-01: years begin in March, so that the leap day is the last.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + ofYear - 719_468
    }

    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * ofYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }
}

extension DirectorySlot {
    /// Time of the last change of contents.
    var writeTime: Timestamp? {
        DOSTime.timestamp(date: bytes.little(Offset.writeDate), time: bytes.little(Offset.writeTime))
    }
    /// Day of the last reading.
    var accessTime: Timestamp? { DOSTime.timestamp(date: bytes.little(Offset.accessDate), time: 0) }
    /// Time at which the file was made.
    var creationTime: Timestamp? {
        DOSTime.timestamp(
            date: bytes.little(Offset.creationDate), time: bytes.little(Offset.creationTime),
            tenths: bytes[Offset.creationTenths])
    }

    mutating func setWriteTime(_ time: Timestamp) {
        let fields = DOSTime.fields(time)
        bytes.storeLittle(fields.time, at: Offset.writeTime)
        bytes.storeLittle(fields.date, at: Offset.writeDate)
    }
    mutating func setAccessTime(_ time: Timestamp) {
        bytes.storeLittle(DOSTime.fields(time).date, at: Offset.accessDate)
    }
    mutating func setCreationTime(_ time: Timestamp) {
        let fields = DOSTime.fields(time)
        bytes[Offset.creationTenths] = fields.tenths
        bytes.storeLittle(fields.time, at: Offset.creationTime)
        bytes.storeLittle(fields.date, at: Offset.creationDate)
    }
}
