<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
  <context>
    <name>CaptureActions</name>
    <message numerus="yes">
      <source>%n second(s)</source>
      <translation>
        <numerusform>%n second</numerusform>
        <numerusform>%n seconds</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>CaptureSurface</name>
    <message numerus="yes">
      <source>%n picture(s) saved</source>
      <translation>
        <numerusform>%n picture saved</numerusform>
        <numerusform>%n pictures saved</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>CountdownOverlay</name>
    <message numerus="yes">
      <source>%n second(s)</source>
      <translation>
        <numerusform>%n second</numerusform>
        <numerusform>%n seconds</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>CrashDialog</name>
    <message numerus="yes">
      <source>It happened %n time(s).</source>
      <translation>
        <numerusform>It happened %n time.</numerusform>
        <numerusform>It happened %n times.</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>ExportDialog</name>
    <message numerus="yes">
      <source>%n frame(s) of the session saved</source>
      <translation>
        <numerusform>%n frame of the session saved</numerusform>
        <numerusform>%n frames of the session saved</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n frame(s) were left out, as the disk was too slow</source>
      <translation>
        <numerusform>%n frame were left out, as the disk was too slow</numerusform>
        <numerusform>%n frames were left out, as the disk was too slow</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n frame(s) written</source>
      <translation>
        <numerusform>%n frame written</numerusform>
        <numerusform>%n frames written</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>FileExportBox</name>
    <message numerus="yes">
      <source>%n face(s) saved</source>
      <translation>
        <numerusform>%n face saved</numerusform>
        <numerusform>%n faces saved</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n frame(s) saved</source>
      <translation>
        <numerusform>%n frame saved</numerusform>
        <numerusform>%n frames saved</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n of them with faces</source>
      <translation>
        <numerusform>%n of them with faces</numerusform>
        <numerusform>%n of them with faces</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>PreferencesDialog</name>
    <message numerus="yes">
      <source>%n second(s)</source>
      <translation>
        <numerusform>%n second</numerusform>
        <numerusform>%n seconds</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>RecordingIndicator</name>
    <message numerus="yes">
      <source>%n frame(s) dropped</source>
      <translation>
        <numerusform>%n frame dropped</numerusform>
        <numerusform>%n frames dropped</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>SessionBar</name>
    <message numerus="yes">
      <source>%n face(s)</source>
      <translation>
        <numerusform>%n face</numerusform>
        <numerusform>%n faces</numerusform>
      </translation>
    </message>
  </context>
  <context>
    <name>errors</name>
    <message numerus="yes">
      <source>%n column(s) instead of {expected}</source>
      <translation>
        <numerusform>%n column instead of {expected}</numerusform>
        <numerusform>%n columns instead of {expected}</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n day(s)</source>
      <translation>
        <numerusform>%n day</numerusform>
        <numerusform>%n days</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n day(s) {hours} h</source>
      <translation>
        <numerusform>%n day {hours} h</numerusform>
        <numerusform>%n days {hours} h</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n keypoint(s) instead of {expected}</source>
      <translation>
        <numerusform>%n keypoint instead of {expected}</numerusform>
        <numerusform>%n keypoints instead of {expected}</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>Stopped after %n epoch(s): {best}.</source>
      <translation>
        <numerusform>Stopped after %n epoch: {best}.</numerusform>
        <numerusform>Stopped after %n epochs: {best}.</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>Training failed after %n epoch(s): {best}.</source>
      <translation>
        <numerusform>Training failed after %n epoch: {best}.</numerusform>
        <numerusform>Training failed after %n epochs: {best}.</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>that is about {steps:,} step(s) from scratch; the shipped weights took over {shipped:,}</source>
      <translation>
        <numerusform>that is about {steps:,} step from scratch; the shipped weights took over {shipped:,}</numerusform>
        <numerusform>that is about {steps:,} steps from scratch; the shipped weights took over {shipped:,}</numerusform>
      </translation>
    </message>
  </context>
</TS>
